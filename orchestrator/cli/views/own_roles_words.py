"""The operator's own roles beside a plan, for people and for programs."""

from typing import Any

from orchestrator.model.i18n import _
from orchestrator.workspace.own_roles import OwnRoles


def own_roles_lines(roles: OwnRoles) -> list[str]:
    """Return which own roles run on each host that is changed, and that they are not journaled."""
    before = _("own roles before the change of each host: {names}")
    after = _("own roles after it is confirmed: {names}")
    lines = [
        words.format(names=", ".join(names))
        for words, names in ((before, roles.before), (after, roles.after))
        if names
    ]
    told = _("own roles are not journaled: a rollback does not take back what they do")
    return [*lines, told] if lines else []


def own_roles_document(roles: OwnRoles) -> dict[str, Any]:
    """Return the same as plain data."""
    return {"before": list(roles.before), "after": list(roles.after), "journaled": False}

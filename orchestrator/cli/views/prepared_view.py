"""A run that waits to be played by hand, for people and for programs."""

from typing import Any

from rich.console import Group, RenderableType

from orchestrator.change.by_hand import Prepared
from orchestrator.cli.views import outcome_view
from orchestrator.cli.views.cells import heading, line
from orchestrator.model.change import Outcome
from orchestrator.model.i18n import _
from orchestrator.workspace.own_roles import OwnRoles


def render(prepared: Prepared, window: int, own: OwnRoles) -> RenderableType:
    """Return what is to be typed, and when; ``window`` is how many seconds a server waits then."""
    parts: list[RenderableType] = []
    ended = [one for one in prepared.outcomes if one.outcome is not Outcome.INTERRUPTED]
    if ended:
        parts.append(outcome_view.render(ended))
    if prepared.command is None:
        return Group(*parts, line(_("nothing to play")))
    names = [one.host for one in prepared.outcomes if one.outcome is Outcome.INTERRUPTED]
    told = _("run {run} is prepared: {names}")
    parts.append(heading(told.format(run=prepared.run.id, names=", ".join(sorted(names)))))
    parts.append(line(_("Type this within an hour:")))
    parts.append(line(f"  {prepared.command.line}", "bold"))
    wait = _(
        "While it plays, in another terminal; a server waits for it for {n} s, then goes back:"
    )
    parts.append(line(wait.format(n=window)))
    parts.append(line(f"  luytre runs resume {prepared.run.id}", "bold"))
    if own:
        parts.append(line(_("Your own roles are not a part of it: play them yourself."), "yellow"))
    return Group(*parts)


def document(prepared: Prepared, window: int) -> dict[str, Any]:
    """Return the same as plain data; ``command`` is null where there is nothing to play."""
    command = prepared.command
    told = None
    if command is not None:
        told = {
            "words": list(command.words),
            "environment": dict(command.environment),
            "line": command.line,
        }
    return {
        **outcome_view.document(prepared.outcomes, prepared.run.id),
        "command": told,
        "window": window,
    }

"""How the bootstrap of hosts ended, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from orchestrator.cli.views.cells import cell, line, reasons, table
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.host import Management
from orchestrator.model.i18n import _

_STYLES = {
    Standing.ALREADY: "dim",
    Standing.DONE: "green",
    Standing.UNDONE: "yellow",
    Standing.FAILED: "red",
    Standing.REFUSED: "red",
    Standing.UNREACHABLE: "magenta",
    Standing.INTERRUPTED: "yellow",
}


def render(
    results: Sequence[Bootstrapped], skipped: Mapping[Management, Sequence[str]]
) -> RenderableType:
    """Return one line per host; reasons and what to do stand below."""
    names = _standing_names()
    made = table(_("host"), _("result"), _("made"), whole=(_("result"),))
    for one in results:
        what = ", ".join(_made_words(each) for each in one.made)
        made.add_row(
            cell(one.host, "bold"), cell(names[one.standing], _STYLES[one.standing]), cell(what)
        )
    failed = reasons((one.host, one.reason, one.hint) for one in results)
    return Group(made, *failed, *_left_alone(skipped))


def document(
    results: Sequence[Bootstrapped], skipped: Mapping[Management, Sequence[str]]
) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "hosts": [document_host(one) for one in results],
        **{kind.value: list(names) for kind, names in skipped.items()},
    }


def document_host(one: Bootstrapped) -> dict[str, Any]:
    """Return one host as plain data; the audit log keeps the same."""
    return {
        "host": one.host,
        "result": one.standing.value,
        "made": list(one.made),
        "reason": one.reason,
        "hint": one.hint,
    }


def _left_alone(skipped: Mapping[Management, Sequence[str]]) -> list[RenderableType]:
    sentences = {
        Management.AUDIT_ONLY: _("audit-only, never changed: {names}"),
        Management.UNMANAGED: _("unmanaged, never connected to: {names}"),
    }
    return [
        line(sentences[kind].format(names=", ".join(names)), "dim")
        for kind, names in skipped.items()
        if names
    ]


def _made_words(made: str) -> str:
    words = {"user": _("account"), "key": _("key"), "sudo": _("sudo rule")}
    return words.get(made, made.removeprefix("package "))


def _standing_names() -> dict[Standing, str]:
    return {
        Standing.ALREADY: _("already manageable"),
        Standing.DONE: _("manageable"),
        Standing.UNDONE: _("undone"),
        Standing.FAILED: _("failed"),
        Standing.REFUSED: _("refused"),
        Standing.UNREACHABLE: _("unreachable"),
        Standing.INTERRUPTED: _("interrupted"),
    }

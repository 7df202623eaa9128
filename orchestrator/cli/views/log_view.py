"""The audit log, for people and for programs."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType

from orchestrator.change.witness import HostWitness
from orchestrator.cli.views.cells import cell, line, local_time, table
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _, _n
from orchestrator.model.record import LogEntry, LogHead

_NONE: tuple[Any, ...] = ("", None, [], {})
# SHA-256 in hexadecimal; people need no more than its beginning.
_DIGEST = re.compile("[0-9a-f]{64}")
_SHOWN = 16


def render(entries: Sequence[LogEntry]) -> RenderableType:
    """Return a row per entry: number, when, who, what, details."""
    whole = (_("when"), _("what"))
    columns = (_("no."), _("when"), _("who"), _("what"), _("details"))
    made = table(*columns, numbers=[_("no.")], whole=whole)
    for entry in entries:
        made.add_row(
            cell(str(entry.seq)),
            cell(local_time(datetime.fromisoformat(entry.at))),
            cell(entry.operator),
            cell(entry.action),
            line(_pairs(entry.detail)),
        )
    return made


def document(entries: Sequence[LogEntry]) -> dict[str, Any]:
    """Return the same as plain data, with the hashes."""
    return {
        "entries": [
            {
                "seq": entry.seq,
                "at": entry.at,
                "operator": entry.operator,
                "action": entry.action,
                "detail": dict(entry.detail),
                "previous": entry.previous,
                "hash": entry.hash,
            }
            for entry in entries
        ]
    }


def render_verified(
    head: LogHead, seen: Sequence[HostWitness], failed: Sequence[HostError]
) -> RenderableType:
    """Return that the chain is sound, and which hosts have seen it so or could not be asked."""
    told = _n(
        "{n} entry; head {hash}",
        "{n} entries, each follows from the one before; head {hash}",
        head.seq,
    )
    lines = [line(told.format(n=head.seq, hash=head.hash[:_SHOWN]))]
    if seen:
        told = _("witnesses that agree: {heads}, on hosts: {n}")
        heads = sum(len(one.heads) for one in seen)
        lines.append(line(told.format(n=sum(bool(one.heads) for one in seen), heads=heads)))
    if silent := [one.host for one in seen if not one.heads]:
        told = _("no witness of this log on: {hosts}")
        lines.append(line(told.format(hosts=", ".join(silent)), "yellow"))
    lines += [line(_("not asked: {problem}").format(problem=one), "red") for one in failed]
    return Group(*lines)


def document_verified(
    head: LogHead, seen: Sequence[HostWitness], failed: Sequence[HostError]
) -> dict[str, Any]:
    """Return the same as plain data."""
    hosts: list[dict[str, Any]] = [
        {"host": one.host, "witnesses": len(one.heads), "others": one.others, "problem": ""}
        for one in seen
    ]
    hosts += [
        {"host": one.host, "witnesses": None, "others": None, "problem": one.message}
        for one in failed
    ]
    return {"entries": head.seq, "head": head.hash, "hosts": hosts}


def _pairs(detail: Mapping[str, Any]) -> str:
    """Return the details as ``key value, key value``; what is empty is left out."""
    return ", ".join(
        f"{key} {_words(value)}" for key, value in detail.items() if value not in _NONE
    )


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_pairs(value)})"
    if isinstance(value, list | tuple):
        return " ".join(_words(one) for one in value)
    text = str(value)
    return text[:_SHOWN] + "…" if _DIGEST.fullmatch(text) else text

"""The audit log, for people and for programs."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType

from orchestrator.cli.views.cells import cell, local_time, table
from orchestrator.model.i18n import _
from orchestrator.model.record import LogEntry


def render(entries: Sequence[LogEntry]) -> RenderableType:
    """Return a row per entry: number, when, who, what, details."""
    made = table(_("no."), _("when"), _("who"), _("what"), _("details"), numbers=[_("no.")])
    for entry in entries:
        detail = json.dumps(entry.detail, ensure_ascii=False)
        made.add_row(
            cell(str(entry.seq)),
            cell(local_time(datetime.fromisoformat(entry.at))),
            cell(entry.operator),
            cell(entry.action),
            cell(detail),
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

"""Transitions one by one, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType

from orchestrator.cli.views import drift_view
from orchestrator.cli.views.cells import cell, line, local_time, severity_cell, table
from orchestrator.model.drift import Drift
from orchestrator.model.i18n import _
from orchestrator.report.words import cause_name, event_name


def render(drift: Sequence[Drift], *, more: bool) -> RenderableType:
    """Return a row per transition, in the order given; ``more`` says that older ones were cut."""
    if not drift:
        return line(_("Nothing changed."))
    whole = [_("when"), _("what"), _("cause"), _("severity")]
    made = table(*whole, _("host"), _("control"), _("observed"), whole=whole)
    for one in drift:
        made.add_row(
            local_time(one.at),
            cell(event_name(one.event), drift_view.STYLES.get(one.event, "")),
            cell(cause_name(one.cause)),
            severity_cell(one.severity),
            cell(one.host),
            cell(one.control),
            cell(one.observed),
        )
    if not more:
        return made
    return Group(made, line(_("There are older changes: --number shows more.")))


def document(drift: Sequence[Drift], *, more: bool) -> dict[str, Any]:
    """Return the same as plain data; times are UTC, ISO 8601."""
    return {**drift_view.document(drift), "more": more}

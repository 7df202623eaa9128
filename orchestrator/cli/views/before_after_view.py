"""Compliance per host before and after, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from orchestrator.cli.views.audit_view import counts_document
from orchestrator.cli.views.cells import cell, change_cell, table
from orchestrator.model.finding import Verdict
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.record import Compliance, Counts
from orchestrator.report.compliance import NOTHING, percent, percent_text, total

ARROW = " → "


def render(hosts: Sequence[Compliance]) -> RenderableType:
    """Return a row per host, worst afterwards first; a dash where no whole audit tells."""
    numbers = [_("fail"), _("error"), _("compliant"), _("change")]
    made = table(_("host"), *numbers, numbers=numbers)
    for host in sorted(hosts, key=_worst_first):
        _row(made, host)
    both = [host for host in hosts if host.before is not None and host.after is not None]
    if len(both) > 1:
        made.add_section()
        name = _n("{n} host with both audits", "{n} hosts with both audits", len(both))
        before, after = total(host.before for host in both), total(host.after for host in both)
        _row(made, Compliance(name.format(n=len(both)), before, after), style="bold")
    return made


def document(hosts: Sequence[Compliance]) -> dict[str, Any]:
    """Return the same as plain data; null where no whole audit tells."""
    return {
        "hosts": [
            {
                "host": host.host,
                "before": counts_document(host.before),
                "after": counts_document(host.after),
            }
            for host in hosts
        ]
    }


def _worst_first(host: Compliance) -> tuple[float, str]:
    value = percent(host.after)
    return (-1 if value is None else value, host.host)


def _row(made: Table, host: Compliance, style: str = "") -> None:
    made.add_row(
        cell(host.host),
        _number(host.before, Verdict.FAIL) + ARROW + _number(host.after, Verdict.FAIL),
        _number(host.before, Verdict.ERROR) + ARROW + _number(host.after, Verdict.ERROR),
        percent_text(host.before, language()) + ARROW + percent_text(host.after, language()),
        change_cell(host.before, host.after),
        style=style or None,
    )


def _number(counts: Counts | None, verdict: Verdict) -> str:
    return NOTHING if counts is None else str(counts.verdicts.get(verdict, 0))

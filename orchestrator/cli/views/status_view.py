"""What matters now, for people and for programs."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import hosts_text, line, local_time
from orchestrator.model.finding import Severity
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.record import Run
from orchestrator.model.status import Concern, Matter, Status
from orchestrator.model.text import shorten
from orchestrator.report.compliance import SEVEREST_FIRST, percent, percent_text
from orchestrator.report.matter_words import matter_title
from orchestrator.report.words import kind_name

_GRAVE = (
    *(Concern.HELD, Concern.CUT_OFF, Concern.CHANGE_FAILED),
    *(Concern.INTRUSION, Concern.FILES_DIFFER, Concern.MALWARE),
)
_NAMES = 44
_MOST_REASONS = 5
_WIDTH = 94


def render(status: Status) -> RenderableType:
    """Return what goes on, each matter with its command, and the first thing to do."""
    told: list[RenderableType] = [line(_standing(status), "bold")]
    told.extend(line(_under_way(run), "yellow") for run in status.under_way)
    for matter in status.matters:
        style = "bold red" if matter.concern in _GRAVE else "red"
        told.append(line(matter_title(matter, _names(matter)), style))
        told.extend(line(f"  {reason}") for reason in _reasons(matter))
        told.append(Text(f"  {matter.command}", "cyan"))
    if status.waived:
        told.append(line(_waived(status.waived), "dim"))
    if not status.matters:
        told.append(line(_("All is calm."), "green"))
    else:
        told.append(Text.assemble(_("next: "), (status.next, "bold cyan")))
    return Group(*told)


def document(status: Status) -> dict[str, Any]:
    """Return the same as plain data; times are UTC, ISO 8601."""
    value = percent(status.counts)
    return {
        "calm": not status.matters,
        "at": status.now.isoformat(),
        "hosts": status.hosts,
        "compliant": None if value is None else round(value, 2),
        "open": _by_severity(status.open),
        "last_audit": status.last_audit.started.isoformat() if status.last_audit else None,
        "under_way": [{"run": one.id, "kind": one.kind.value} for one in status.under_way],
        "matters": [
            {
                "concern": one.concern.value,
                "hosts": list(one.hosts),
                "reasons": dict(one.reasons),
                "run": one.run or None,
                "number": one.number or len(one.hosts),
                "by_severity": _by_severity(one.by_severity),
                "command": one.command,
            }
            for one in status.matters
        ],
        "backup_waived": dict(status.waived),
        "next": status.next or None,
    }


def _standing(status: Status) -> str:
    if not status.hosts:
        return _("No server was audited yet.")
    told = _n(
        "{n} server, compliant: {percent}; last audit of all: {time}",
        "{n} servers, compliant: {percent}; last audit of all: {time}",
        status.hosts,
    )
    audited = status.last_audit.started if status.last_audit else None
    return told.format(
        n=status.hosts, percent=percent_text(status.counts, language()), time=local_time(audited)
    )


def _waived(waived: Mapping[str, str]) -> str:
    told = _n(
        "{n} server has no proved backup, waived: {reasons}",
        "{n} servers have no proved backup, waived: {reasons}",
        len(waived),
    )
    reasons = "; ".join(sorted(set(waived.values())))
    return told.format(n=len(waived), reasons=shorten(reasons, _NAMES))


def _under_way(run: Run) -> str:
    told = _("under way: {kind} by {operator} since {time} ({run})")
    return told.format(
        kind=kind_name(run.kind),
        operator=run.operator,
        time=local_time(run.started),
        run=run.id,
    )


def _names(matter: Matter) -> str:
    """Return the hosts, with their number where another number stands before them."""
    if matter.number:
        return hosts_text(matter.hosts, _NAMES) if matter.hosts else ""
    return shorten(", ".join(matter.hosts), _NAMES)


def _reasons(matter: Matter) -> list[str]:
    """Return why, for the first of the hosts; the same reason of several is told once."""
    place = {host: number for number, host in enumerate(matter.hosts)}
    by_reason: dict[str, list[str]] = {}
    for host, reason in sorted(
        matter.reasons.items(), key=lambda one: (place.get(one[0], len(place)), one[0])
    ):
        if reason:
            by_reason.setdefault(reason, []).append(host)
    told = [
        f"{hosts_text(hosts, 30)}: {reason}" if len(matter.hosts) > 1 else reason
        for reason, hosts in by_reason.items()
    ]
    left = len(told) - _MOST_REASONS
    shown = [shorten(one, _WIDTH) for one in told[:_MOST_REASONS]]
    if left > 0:
        shown.append(_("… and {n} more").format(n=left))
    return shown


def _by_severity(many: Mapping[Severity, int]) -> dict[str, int]:
    return {one.value: many[one] for one in SEVEREST_FIRST if one in many}

"""Intrusion alerts, for people and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.views.cells import (
    cell,
    hosts_text,
    line,
    local_time,
    severity_cell,
    table,
)
from orchestrator.model.alert import KeptAlert, document
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _, _n
from orchestrator.model.watch import SET_UP, WatchStanding, not_ours, standing_document
from orchestrator.report.alert_words import alert_kind_name, alert_text, differences_text
from orchestrator.report.commands import to_type_for
from orchestrator.report.watch_words import lack_text

if TYPE_CHECKING:
    from orchestrator.protect.intrusion.accepting import Look
    from orchestrator.protect.intrusion.gaps import Gaps
    from orchestrator.protect.intrusion.setting_up import SetUp

_MOST_FILES = 500
_MOST_ALERTS = 200


def render_set_up(left: Sequence["SetUp"]) -> RenderableType:
    """Return a row per host: ready, or why not."""
    rows = table(_("host"), _("result"))
    for one in left:
        rows.add_row(cell(one.host), cell(one.why, "red") if one.why else cell(_("ready"), "green"))
    return rows


def set_up_document(left: Sequence["SetUp"]) -> dict[str, Any]:
    """Return how each host was left as plain data."""
    return {"hosts": [{"host": one.host, "ready": one.ready, "why": one.why} for one in left]}


class Asked(NamedTuple):
    """What came of asking: how hosts stand, open alerts, how many are new, what was accepted.

    ``taken`` is the run by host; ``lost`` tells by host what could not be done there.
    """

    standings: Sequence[WatchStanding]
    open: Sequence[KeptAlert]
    new: int
    taken: Mapping[str, str]
    lost: Mapping[str, HostError]


def render_status(asked: Asked) -> RenderableType:
    """Return a row per host, what is wanting, and how many alerts nobody has looked at."""
    columns = [_("host"), _("asked"), _("files compared"), _("banned"), _("alerts")]
    rows = table(*columns, numbers=columns[3:], whole=columns[1:3])
    for one in asked.standings:
        many = sum(alert.alert.host == one.host for alert in asked.open)
        good = not (one.lacks or one.differ or one.host in asked.lost)
        rows.add_row(
            cell(one.host, "green" if good else "red"),
            local_time(one.at),
            local_time(one.looked) if one.looked else _("not yet"),
            str(one.banned),
            Text(str(many), "red" if many else ""),
        )
    told: list[RenderableType] = [rows]
    for one in asked.standings:
        told += [line(text, "red") for text in _wanting(one, asked.lost.get(one.host))]
    for host, run in asked.taken.items():
        of_run = _("{host}: what run {run} changed is accepted")
        message = _("{host}: what was set up is accepted") if run == SET_UP else of_run
        told.append(line(message.format(host=host, run=run)))
    if asked.open:
        message = _n(
            "{n} alert that nobody has looked at, {new} of them new: luytre intrusion alerts",
            "{n} alerts that nobody has looked at, {new} of them new: luytre intrusion alerts",
            len(asked.open),
        )
        told.append(line(message.format(n=len(asked.open), new=asked.new), "bold red"))
    else:
        silent = {*asked.lost, *(one.host for one in asked.standings if one.lacks)}
        told.append(line(_("no alert is open"), "yellow" if silent else "green"))
    return Group(*told)


def _wanting(one: WatchStanding, lost: HostError | None) -> Iterator[str]:
    for lack, why in one.lacks.items():
        yield f"{one.host}: {lack_text(lack, why)}"
    if lost is not None and lost.message not in one.lacks.values():
        yield f"{one.host}: {lost.message}"
    if one.differ:
        message = _n(
            "{host}: {n} file differs, and no run of ours explains it: luytre intrusion check",
            "{host}: {n} files differ, and no run of ours explains it: luytre intrusion check",
            one.differ,
        )
        yield message.format(host=one.host, n=one.differ)


def status_document(asked: Asked) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "hosts": [standing_document(one) for one in asked.standings],
        "open": len(asked.open),
        "new": asked.new,
        "accepted": dict(asked.taken),
        "lost": {host: problem.message for host, problem in asked.lost.items()},
    }


def render_alerts(alerts: Sequence[KeptAlert], gaps: "Gaps") -> RenderableType:
    """Return the alerts, and of which servers none can be known."""
    told: list[RenderableType] = [_table_of(alerts)] if alerts else []
    if not alerts and (gaps.watched or not gaps.unwatched):
        silent = gaps.unwatched or gaps.unasked
        told.append(line(_("no alert is open"), "yellow" if silent else "green"))
    return Group(*told, *_gaps(gaps))


def _gaps(gaps: "Gaps") -> Iterator[RenderableType]:
    set_up = to_type_for(("intrusion", "setup"), gaps.unwatched)
    if gaps.unwatched and gaps.nobody:
        yield line(_("no server is watched yet: {command}").format(command=set_up), "red")
    elif gaps.unwatched:
        message = _("not watched yet: {hosts} (next: {command})")
        names = hosts_text(gaps.unwatched)
        yield line(message.format(hosts=names, command=set_up), "yellow")
    if gaps.unasked:
        message = _("nobody has asked yet what they saw: {hosts} (next: {command})")
        command = to_type_for(("intrusion", "status"), gaps.unasked)
        yield line(message.format(hosts=hosts_text(gaps.unasked), command=command), "yellow")


def _table_of(alerts: Sequence[KeptAlert]) -> RenderableType:
    """Return a row per alert, and who looked at it; how many are left out is told."""
    columns = [_("number"), _("when"), _("host"), _("severity"), _("what")]
    rows = table(*columns, numbers=columns[:1], whole=columns[1:4])
    for one in alerts[:_MOST_ALERTS]:
        alert = one.alert
        what = alert_text(alert)
        if not one.open:
            seen = _("looked at by {operator}: {remark}")
            what += " – " + seen.format(operator=one.seen_by, remark=one.remark)
        rows.add_row(
            str(one.number),
            local_time(alert.at),
            cell(alert.host),
            severity_cell(alert.severity),
            Text(f"{alert_kind_name(alert.kind)}: {what}", "" if one.open else "dim"),
        )
    left = len(alerts) - _MOST_ALERTS
    return rows if left <= 0 else Group(rows, line(_("… and {n} more").format(n=left), "bold"))


def alerts_document(alerts: Sequence[KeptAlert], gaps: "Gaps") -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "alerts": [document(one) for one in alerts],
        "unwatched": list(gaps.unwatched),
        "unasked": list(gaps.unasked),
    }


def render_looks(looks: Sequence["Look"], lost: Sequence[HostError]) -> RenderableType:
    """Return what differs on each host from the accepted database."""
    told: list[RenderableType] = []
    for one in looks:
        if one.changes is None:
            told.append(line(_("{host}: nothing was accepted yet").format(host=one.host), "yellow"))
            continue
        many = len(one.changes)
        message = _n(
            "{host}: {n} file differs from what was accepted",
            "{host}: {n} files differ from what was accepted",
            many,
        )
        told.append(line(message.format(host=one.host, n=many), "red" if many else "green"))
        others = not_ours(one.changes)
        for change in others[:_MOST_FILES]:
            what = differences_text(change.detail)
            shown = (change.path, _change_name(change.change), what)
            told.append(line("  " + "  ".join(filter(None, shown))))
        if len(others) > _MOST_FILES:
            more = _("… and {n} more").format(n=len(others) - _MOST_FILES)
            told.append(line(f"  {more} (--output json)"))
        if ours := many - len(others):
            message = _("{n} of them are as runs of ours left them").format(n=ours)
            told.append(line("  " + message))
    told += [line(f"{one.host}: {one.message}", "red") for one in lost]
    return Group(*told)


def looks_document(looks: Sequence["Look"], lost: Sequence[HostError]) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "hosts": [
            {
                "host": one.host,
                "digest": one.digest,
                "accepted_before": one.changes is not None,
                "changes": [vars(change) for change in one.changes or ()],
            }
            for one in looks
        ],
        "lost": {one.host: one.message for one in lost},
    }


def _change_name(change: str) -> str:
    return {"added": _("added"), "removed": _("removed"), "changed": _("changed")}[change]

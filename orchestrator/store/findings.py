"""Findings as they stand, one row per (host, control)."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    bindparam,
    func,
    select,
    update,
)

from orchestrator.model.finding import Mark, Severity, Verdict
from orchestrator.model.record import CurrentFinding, Reading, Tally
from orchestrator.store.hosts import Known
from orchestrator.store.schema import finding, host

_SELECT = select(finding, host.c.name.label("host"), host.c.judged_run, host.c.last_audit_run).join(
    host, host.c.id == finding.c.host_id
)
_OF_HOST = _SELECT.where(finding.c.host_id == bindparam("of_host"))
_KEY = (finding.c.host_id == bindparam("of_host")) & (finding.c.control == bindparam("of_control"))
_COLUMNS: dict[str, BindParameter[Any]] = {
    c.name: bindparam(c.name) for c in finding.c if not c.primary_key
}
_UPDATE = update(finding).where(_KEY).values(_COLUMNS)
_TOUCH = (
    update(finding)
    .where(finding.c.host_id == bindparam("of_host"))
    .where(finding.c.control.in_(bindparam("seen", expanding=True)))
    .values(last_run=bindparam("by_run"))
)

_SEEN_AGAIN = (
    update(finding)
    .where(finding.c.host_id == bindparam("of_host"))
    .where(finding.c.last_run == bindparam("judged"), ~finding.c.retired)
    .values(last_run=bindparam("by_run"))
)
_but_run = attrgetter(*(f.name for f in fields(CurrentFinding) if f.name != "last_run"))
_VERDICT = {verdict.value: verdict for verdict in Verdict}
_SEVERITY = {severity.value: severity for severity in Severity}

OPEN: ColumnElement[bool] = finding.c.read_open
UNREAD: ColumnElement[bool] = (
    finding.c.verdict.in_([Verdict.ERROR.value, Verdict.NOT_CHECKED.value]) & ~finding.c.retired
)


def of_host(connection: Connection, host_id: int) -> dict[str, CurrentFinding]:
    """Return how the controls of one host stand, by control."""
    rows = connection.execute(_OF_HOST, {"of_host": host_id}).mappings()
    return {row["control"]: _read(row) for row in rows}


def select_findings(
    connection: Connection, hosts: Sequence[str] | None, controls: Sequence[str] | None = None
) -> tuple[CurrentFinding, ...]:
    """Return findings by host and control, of some hosts and controls or of all."""
    wanted = _SELECT.order_by(host.c.name, finding.c.control)
    if hosts is not None:
        wanted = wanted.where(host.c.name.in_(hosts))
    if controls is not None:
        wanted = wanted.where(finding.c.control.in_(controls))
    return tuple(_read(row) for row in connection.execute(wanted).mappings())


def controls(connection: Connection) -> tuple[str, ...]:
    """Return every control that any host has, by name."""
    return tuple(
        connection.execute(select(finding.c.control).distinct().order_by(finding.c.control))
        .scalars()
        .all()
    )


def tallies(connection: Connection) -> tuple[Tally, ...]:
    """Return how many controls stand how; those that left the baseline are not counted."""
    alike = (host.c.name, finding.c.severity, finding.c.verdict, finding.c.read_open)
    rows = connection.execute(
        select(*alike, func.count())
        .join(host, host.c.id == finding.c.host_id)
        .where(~finding.c.retired)
        .group_by(*alike)
    )
    return tuple(
        Tally(name, _SEVERITY[severity], _VERDICT[verdict], is_open, number)
        for name, severity, verdict, is_open, number in rows
    )


def save(
    connection: Connection,
    host_id: int,
    known: Mapping[str, CurrentFinding],
    now: Mapping[str, CurrentFinding],
) -> None:
    """Write what an audit saw; rows that only were seen again are touched in one statement."""
    added = [_write(host_id, now[control]) for control in now if control not in known]
    same = [c for c in now if c in known and _same(known[c], now[c])]
    unlike = [c for c in now if c in known and not _same(known[c], now[c])]
    if added:
        connection.execute(finding.insert(), added)
    if same:
        seen = {"of_host": host_id, "seen": same, "by_run": now[same[0]].last_run}
        connection.execute(_TOUCH, seen)
    if unlike:
        rows = [_write(host_id, now[c]) for c in unlike]
        keyed = [{**r, "of_host": r.pop("host_id"), "of_control": r.pop("control")} for r in rows]
        connection.execute(_UPDATE, keyed)


def settle(connection: Connection, host: Known) -> None:
    """Write down which run saw the findings last, where audits in a row were alike.

    Such audits touch no finding; call it before one that is not like them is judged.
    """
    if host.last_audit != host.judged:
        seen = {"of_host": host.id, "judged": host.judged, "by_run": host.last_audit}
        connection.execute(_SEEN_AGAIN, seen)


def _same(old: CurrentFinding, new: CurrentFinding) -> bool:
    return bool(_but_run(old) == _but_run(new))


def _write(host_id: int, one: CurrentFinding) -> dict[str, Any]:
    reading = one.reading
    return {
        "host_id": host_id,
        "control": one.control,
        "verdict": one.verdict.value,
        "severity": one.severity.value,
        "marks": ",".join(sorted(one.marks)),
        "expected": one.expected,
        "observed": one.observed,
        "since": one.since,
        "last_run": one.last_run,
        "ever_passed": one.ever_passed,
        "retired": one.retired,
        "read_verdict": reading.verdict.value if reading else None,
        "read_open": one.open,
        "read_observed": reading.observed if reading else "",
        "read_want": reading.want if reading else "",
        "read_tool": reading.tool if reading else "",
    }


def _read(row: RowMapping) -> CurrentFinding:
    return CurrentFinding(
        host=row["host"],
        control=row["control"],
        verdict=_VERDICT[row["verdict"]],
        severity=_SEVERITY[row["severity"]],
        since=row["since"],
        last_run=row["last_audit_run"] if _seen_again(row) else row["last_run"],
        marks=frozenset(map(Mark, row["marks"].split(","))) if row["marks"] else frozenset(),
        expected=row["expected"],
        observed=row["observed"],
        ever_passed=row["ever_passed"],
        retired=row["retired"],
        reading=_read_reading(row) if row["read_verdict"] else None,
    )


def _seen_again(row: RowMapping) -> bool:
    return row["last_run"] == row["judged_run"] and not row["retired"]


def _read_reading(row: RowMapping) -> Reading:
    return Reading(
        verdict=_VERDICT[row["read_verdict"]],
        open=row["read_open"],
        observed=row["read_observed"],
        want=row["read_want"],
        tool=row["read_tool"],
    )

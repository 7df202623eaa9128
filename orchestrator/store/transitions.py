"""Transitions: every difference that an audit found, kept for good."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.finding import Severity, Verdict
from orchestrator.model.record import DriftFilter
from orchestrator.store.findings import OPEN, UNREAD
from orchestrator.store.schema import finding, host, transition

_SELECT = select(transition, host.c.name).join(host, host.c.id == transition.c.host_id)


def add(connection: Connection, host_id: int, drift: Sequence[Drift]) -> None:
    """Write the transitions of one host."""
    if drift:
        connection.execute(transition.insert(), [_write(host_id, one) for one in drift])


def find(connection: Connection, wanted: DriftFilter) -> tuple[Drift, ...]:
    """Return transitions, newest first."""
    query: Select[Any] = _SELECT.order_by(transition.c.at.desc(), transition.c.id.desc())
    if wanted.since is not None:
        query = query.where(transition.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(transition.c.at < wanted.until)
    if wanted.run is not None:
        query = query.where(transition.c.run_id == wanted.run)
    if wanted.hosts is not None:
        query = query.where(host.c.name.in_(wanted.hosts))
    if wanted.controls is not None:
        query = query.where(transition.c.control.in_(wanted.controls))
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    return tuple(_read(row) for row in connection.execute(query))


def standing(connection: Connection, hosts: Sequence[str] | None) -> tuple[Drift, ...]:
    """Return the newest transition of each (host, control) that still matters, newest first.

    It matters while it is of the host's latest audit, or the control is open or unread.
    """
    newest = select(func.max(transition.c.id)).group_by(transition.c.host_id, transition.c.control)
    same = (finding.c.host_id == transition.c.host_id) & (finding.c.control == transition.c.control)
    query = (
        _SELECT.join(finding, same)
        .where(transition.c.id.in_(newest))
        .where((transition.c.run_id == host.c.last_audit_run) | OPEN | UNREAD)
        .order_by(transition.c.id.desc())
    )
    if hosts is not None:
        query = query.where(host.c.name.in_(hosts))
    return tuple(_read(row) for row in connection.execute(query))


def _write(host_id: int, one: Drift) -> dict[str, Any]:
    return {
        "host_id": host_id,
        "control": one.control,
        "run_id": one.run,
        "at": one.at,
        "event": one.event.value,
        "cause": one.cause.value,
        "severity": one.severity.value,
        "before": one.before.value if one.before else None,
        "after": one.after.value,
        "expected": one.expected,
        "observed": one.observed,
    }


def _read(row: Row[Any]) -> Drift:
    return Drift(
        host=row.name,
        control=row.control,
        event=DriftEvent(row.event),
        cause=Cause(row.cause),
        severity=Severity(row.severity),
        before=Verdict(row.before) if row.before else None,
        after=Verdict(row.after),
        expected=row.expected,
        observed=row.observed,
        at=row.at,
        run=row.run_id,
    )

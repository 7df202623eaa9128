"""Hosts and their dated facts (agency, level, machine). A host's rows are never removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from orchestrator.model.record import Run, StoredHost
from orchestrator.store.schema import host, host_fact

_BY_NAME = select(host).where(host.c.name == bindparam("wanted"))
_SAW = update(host).where(host.c.id == bindparam("of_host"))
_LATEST = select(func.max(host_fact.c.id)).group_by(host_fact.c.host_id, host_fact.c.name)
_FACTS = (
    select(host_fact.c.name, host_fact.c.value)
    .where(host_fact.c.host_id == bindparam("wanted"))
    .where(host_fact.c.id.in_(_LATEST.where(host_fact.c.host_id == bindparam("wanted"))))
)


@dataclass(frozen=True)
class Known:
    """What the store knew of a host before an audit: its id, and its last audit that answered.

    ``judged`` is the first of the audits in a row that ended with the last one and were alike:
    what stands as read by it was read by all of them.
    """

    id: int
    reference: str | None = None
    last_audit: str | None = None
    likeness: str = ""
    judged: str | None = None


def know(connection: Connection, name: str, at: datetime) -> Known:
    """Return what is known of a host, adding it at first sight."""
    row = connection.execute(_BY_NAME, {"wanted": name}).one_or_none()
    if row is not None:
        return Known(
            row.id, row.reference_run, row.last_audit_run, row.last_likeness, row.judged_run
        )
    added = insert(host).returning(host.c.id)
    return Known(connection.execute(added, {"name": name, "first_seen": at}).scalar_one())


def saw(connection: Connection, known: Known, run: Run, likeness: str, at: datetime) -> None:
    """Note that a host answered an audit; the first whole one becomes its reference."""
    values = {
        "last_seen": at,
        "last_audit_run": run.id,
        "last_likeness": likeness,
        "judged_run": known.judged if likeness and likeness == known.likeness else run.id,
        "reference_run": known.reference or (None if run.partial else run.id),
    }
    connection.execute(_SAW.values(values), {"of_host": known.id})


def date_facts(
    connection: Connection, host_id: int, facts: Mapping[str, str], at: datetime
) -> None:
    """Write those facts that differ from what is known; each keeps the moment it was first so."""
    rows = connection.execute(_FACTS, {"wanted": host_id})
    known = {row.name: row.value for row in rows}
    fresh = [
        {"host_id": host_id, "name": name, "value": value, "since": at}
        for name, value in facts.items()
        if known.get(name, "") != value
    ]
    if fresh:
        connection.execute(host_fact.insert(), fresh)


def every(connection: Connection) -> tuple[StoredHost, ...]:
    """Return all hosts by name with their latest facts."""
    facts: dict[int, dict[str, str]] = {}
    held: dict[int, datetime] = {}
    for row in connection.execute(select(host_fact).where(host_fact.c.id.in_(_LATEST))):
        facts.setdefault(row.host_id, {})[row.name] = row.value
        if row.name == "held" and row.value:
            held[row.host_id] = row.since
    rows = connection.execute(select(host).order_by(host.c.name))
    return tuple(
        StoredHost(
            id=row.id,
            name=row.name,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            agency=facts.get(row.id, {}).get("agency", ""),
            level=int(facts.get(row.id, {}).get("level") or 0) or None,
            machine=facts.get(row.id, {}).get("machine", ""),
            held=facts.get(row.id, {}).get("held", ""),
            backup_waived=facts.get(row.id, {}).get("backup_waived", ""),
            held_since=held.get(row.id),
            reference=row.reference_run,
            last_audit=row.last_audit_run,
        )
        for row in rows
    )

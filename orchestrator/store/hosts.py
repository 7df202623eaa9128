"""Hosts and their dated facts (agency, level, machine). A host's rows are never removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.record import StoredHost
from orchestrator.store.schema import host, host_fact

_BY_NAME = select(host.c.id, host.c.reference_run).where(host.c.name == bindparam("wanted"))
_LATEST = select(func.max(host_fact.c.id)).group_by(host_fact.c.host_id, host_fact.c.name)
_FACTS = (
    select(host_fact.c.name, host_fact.c.value)
    .where(host_fact.c.host_id == bindparam("wanted"))
    .where(host_fact.c.id.in_(_LATEST.where(host_fact.c.host_id == bindparam("wanted"))))
)


def know(connection: Connection, name: str, at: datetime) -> tuple[int, bool]:
    """Return the id of a host, adding it at first sight, and whether it has a reference audit."""
    row = connection.execute(_BY_NAME, {"wanted": name}).one_or_none()
    if row is not None:
        return row.id, row.reference_run is not None
    added = insert(host).returning(host.c.id)
    return connection.execute(added, {"name": name, "first_seen": at}).scalar_one(), False


def saw(connection: Connection, host_id: int, run: str, at: datetime, *, reference: bool) -> None:
    """Note that a host answered an audit; ``reference`` marks its first whole one."""
    values: dict[str, object] = {"last_seen": at, "last_audit_run": run}
    if reference:
        values["reference_run"] = run
    connection.execute(update(host).where(host.c.id == host_id).values(values))


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


def ids(connection: Connection, names: Sequence[str]) -> list[int]:
    """Return the ids of those hosts that are known."""
    return list(connection.scalars(select(host.c.id).where(host.c.name.in_(names))))


def rename(connection: Connection, old: str, new: str) -> None:
    """Give a host another name; raises ConfigurationError where it is unknown or taken."""
    if connection.execute(_BY_NAME, {"wanted": new}).one_or_none() is not None:
        raise ConfigurationError(_("the store already knows a host {name}").format(name=new))
    changed = connection.execute(update(host).where(host.c.name == old).values(name=new))
    if not changed.rowcount:
        raise ConfigurationError(_("the store knows no host {name}").format(name=old))


def every(connection: Connection) -> tuple[StoredHost, ...]:
    """Return all hosts by name with their latest facts."""
    facts: dict[int, dict[str, str]] = {}
    for row in connection.execute(select(host_fact).where(host_fact.c.id.in_(_LATEST))):
        facts.setdefault(row.host_id, {})[row.name] = row.value
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
            reference=row.reference_run,
            last_audit=row.last_audit_run,
        )
        for row in rows
    )

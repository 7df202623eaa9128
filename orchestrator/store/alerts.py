"""Alerts as the store keeps them: each once, until somebody has looked at it and afterwards."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.sqlite import insert

from orchestrator.model.alert import Alert, AlertKind, KeptAlert
from orchestrator.model.finding import Severity
from orchestrator.store.schema import alert as table
from orchestrator.store.schema import host


def save(
    connection: Connection, host_id: int, alerts: Iterable[Alert], told: datetime
) -> tuple[Alert, ...]:
    """Keep the alerts of one host; return those that were not known."""
    new = []
    for one in alerts:
        values = {
            "host_id": host_id,
            "identity": one.identity,
            "kind": one.kind.value,
            "severity": one.severity.value,
            "at": one.at,
            "source": one.source,
            "summary": one.summary,
            "details": json.dumps(dict(one.details)),
            "told": told,
        }
        added = insert(table).values(**values)
        added = added.on_conflict_do_nothing(index_elements=["host_id", "identity"])
        if connection.execute(added).rowcount:
            new.append(one)
    return tuple(new)


def newest(
    connection: Connection,
    names: Collection[str] | None = None,
    kinds: Collection[AlertKind] = frozenset(AlertKind),
    *,
    only_open: bool = False,
    limit: int | None = None,
) -> tuple[KeptAlert, ...]:
    """Return alerts of all hosts or of some, those that happened last first."""
    found = select(table, host.c.name).join(host, host.c.id == table.c.host_id)
    found = found.where(table.c.kind.in_([kind.value for kind in kinds]))
    if names is not None:
        found = found.where(host.c.name.in_(names))
    if only_open:
        found = found.where(table.c.seen_at.is_(None))
    found = found.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    return tuple(_kept(row) for row in connection.execute(found))


def mark_seen(
    connection: Connection, numbers: Sequence[int], operator: str, remark: str, at: datetime
) -> tuple[int, ...]:
    """Note who looked at alerts; return the numbers of those that were open."""
    open_ones = table.c.id.in_(numbers) & table.c.seen_at.is_(None)
    found = connection.execute(select(table.c.id).where(open_ones).order_by(table.c.id)).scalars()
    marked = tuple(found)
    values = {"seen_by": operator, "seen_at": at, "remark": remark}
    connection.execute(update(table).where(table.c.id.in_(marked)).values(**values))
    return marked


def _kept(row: Row[Any]) -> KeptAlert:
    alert = Alert(
        row.name,
        row.identity,
        AlertKind(row.kind),
        Severity(row.severity),
        row.at,
        row.source,
        row.summary,
        json.loads(row.details),
    )
    return KeptAlert(row.id, alert, row.told, row.seen_by, row.seen_at, row.remark)

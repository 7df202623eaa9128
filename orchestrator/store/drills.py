"""Drills as the store keeps them: every verdict, forever."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.sqlite import insert

from orchestrator.model.drill import Drill, DrillState, LoadedDatabase
from orchestrator.store.schema import drill as table
from orchestrator.store.schema import host


def save(connection: Connection, host_id: int, made: Drill) -> None:
    """Keep what came of a drill."""
    details = {
        "databases": [vars(one) for one in made.databases],
        "answered": made.answered,
        "problems": made.problems,
    }
    values = {
        "host_id": host_id,
        "run": made.run,
        "scratch": made.scratch,
        "state": made.state.value,
        "started": made.started,
        "backup": made.backup,
        "whole": made.whole,
        "rpo": made.rpo,
        "rto": made.rto,
        "files": made.files,
        "size": made.size,
        "details": json.dumps(details),
    }
    connection.execute(insert(table).values(**values))


def newest(
    connection: Connection, names: Sequence[str] | None = None, each: int = 1, *, proving: bool
) -> tuple[Drill, ...]:
    """Return the latest drills, up to ``each`` of every host (or of some), newest first.

    ``proving`` leaves out those that prove nothing.
    """
    rank = func.row_number().over(partition_by=table.c.host_id, order_by=table.c.started.desc())
    ranked = select(table, host.c.name, rank.label("rank")).join(host, host.c.id == table.c.host_id)
    if names is not None:
        ranked = ranked.where(host.c.name.in_(names))
    if proving:
        ranked = ranked.where(table.c.state != DrillState.UNDONE.value)
    inner = ranked.subquery()
    found = select(inner).where(inner.c.rank <= each).order_by(inner.c.name, inner.c.rank)
    return tuple(_drill(row) for row in connection.execute(found))


def _drill(row: Row[Any]) -> Drill:
    details = json.loads(row.details)
    return Drill(
        host=row.name,
        run=row.run,
        scratch=row.scratch,
        state=DrillState(row.state),
        started=row.started,
        backup=row.backup,
        whole=row.whole,
        rpo=row.rpo,
        rto=row.rto,
        files=row.files,
        size=row.size,
        databases=tuple(LoadedDatabase(**one) for one in details["databases"]),
        answered=tuple(details["answered"]),
        problems=tuple((part, why) for part, why in details["problems"]),
    )

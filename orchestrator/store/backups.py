"""Backups as the store keeps them: every result, and the samples of the latest ones."""

import json
import zlib
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.sqlite import insert

from orchestrator.model.backup import Backup, BackupState, Sampled, Snapshot
from orchestrator.store.schema import backup as table
from orchestrator.store.schema import host

# A drill takes a snapshot of these days; a year of samples of 300 hosts would be a gigabyte.
SAMPLES_KEPT = 10


def save(connection: Connection, host_id: int, made: Backup) -> None:
    """Keep what came of a backup; the same run of the same host is written over."""
    parts = {"snapshots": [vars(one) for one in made.snapshots], "problems": made.problems}
    sample = [[one.path, one.sha256, one.size] for one in made.sample]
    values = {
        "state": made.state.value,
        "started": made.started,
        "ended": made.ended,
        "parts": json.dumps({**parts, "changed": made.changed}),
        "sample": zlib.compress(json.dumps(sample).encode()) if sample else None,
    }
    added = insert(table).values(host_id=host_id, run=made.run, **values)
    connection.execute(added.on_conflict_do_update(index_elements=["host_id", "run"], set_=values))
    _forget_samples(connection, host_id)


def known_runs(connection: Connection, name: str) -> frozenset[str]:
    """Return the runs of a host whose results are here.

    Of a run that nobody could follow to its end, the host still holds it.
    """
    found = select(table.c.run).join(host, host.c.id == table.c.host_id)
    found = found.where(host.c.name == name, table.c.started.is_not(None))
    return frozenset(connection.execute(found).scalars())


def newest(
    connection: Connection,
    names: Sequence[str] | None = None,
    each: int = 1,
    *,
    states: Collection[BackupState] = frozenset(BackupState),
) -> tuple[Backup, ...]:
    """Return the latest backups, up to ``each`` of every host (or of some), newest first.

    Those that ended otherwise than in ``states`` are left out. It goes by the names of their runs,
    which begin with the time: results may come home late.
    """
    rank = func.row_number().over(partition_by=table.c.host_id, order_by=table.c.run.desc())
    ranked = select(table, host.c.name, rank.label("rank")).join(host, host.c.id == table.c.host_id)
    if names is not None:
        ranked = ranked.where(host.c.name.in_(names))
    ranked = ranked.where(table.c.state.in_([state.value for state in states]))
    inner = ranked.subquery()
    found = select(inner).where(inner.c.rank <= each).order_by(inner.c.name, inner.c.rank)
    return tuple(_backup(row) for row in connection.execute(found))


def _forget_samples(connection: Connection, host_id: int) -> None:
    of_host = table.c.host_id == host_id
    kept = select(table.c.run).where(of_host, table.c.sample.is_not(None))
    oldest = kept.order_by(table.c.run.desc()).limit(1).offset(SAMPLES_KEPT - 1).scalar_subquery()
    whole = select(func.max(table.c.run)).where(
        of_host, table.c.state == BackupState.COMPLETE.value
    )
    # A drill takes the newest whole backup, however old it is.
    doomed = (table.c.run < oldest) & (table.c.run != func.coalesce(whole.scalar_subquery(), ""))
    connection.execute(update(table).where(of_host, doomed).values(sample=None))


def _backup(row: Row[Any]) -> Backup:
    parts = json.loads(row.parts)
    sample = json.loads(zlib.decompress(row.sample)) if row.sample else []
    return Backup(
        row.name,
        row.run,
        BackupState(row.state),
        row.started,
        row.ended,
        tuple(Snapshot(**one) for one in parts["snapshots"]),
        tuple((part, why) for part, why in parts["problems"]),
        tuple(Sampled(*one) for one in sample),
        parts["changed"],
    )

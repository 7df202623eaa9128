"""Verify: whether a store still is what was written into it."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from orchestrator.model.errors import ControllerError
from orchestrator.model.evidence import answers_digest, label
from orchestrator.model.i18n import _
from orchestrator.model.record import RunKind, RunStatus
from orchestrator.store import summaries
from orchestrator.store.engine import open_sqlite, our_errors
from orchestrator.store.evidence import unpacked
from orchestrator.store.log import AuditLog
from orchestrator.store.runs import first_id
from orchestrator.store.schema import HEAD, audit_log, evidence, host, run, run_host, summary

PRUNED = "store pruned"
# More of one sort says nothing new.
_MOST = 20
_BATCH = 1000


class Part(StrEnum):
    """What is looked at, in this order."""

    SCHEMA = "schema"
    FILE = "file"
    REFERENCES = "references"
    EVIDENCE = "evidence"
    SUMMARIES = "summaries"
    LOG = "log"
    AUDITS = "audits"


@dataclass(frozen=True)
class Check:
    """One part and what is wrong with it (at most 20 things); nothing where it is sound."""

    part: Part
    problems: tuple[str, ...] = ()


def verify(engine: Engine, log: AuditLog) -> Iterator[Check]:
    """Yield a check of each part as it is made; what cannot be read is a problem of its part."""
    with our_errors(engine.url.database), engine.connect() as connection:
        for part, look in _LOOKS.items():
            yield _checked(part, partial(look, connection))
        yield _checked(Part.LOG, partial(_log, log))
        yield _checked(Part.AUDITS, partial(_audits, connection))


def _checked(part: Part, look: Callable[[], Iterator[str]]) -> Check:
    problems: list[str] = []
    try:
        with our_errors(_("the store")):
            for problem in look():
                problems.append(problem)
                if len(problems) == _MOST:
                    break
    except ControllerError as error:
        problems.append(error.message)
    return Check(part, tuple(problems))


def _schema(connection: Connection) -> Iterator[str]:
    """Compare with a fresh store: tables, indexes, and what keeps the audit log append-only."""
    with tempfile.TemporaryDirectory(prefix="luytre-") as place:
        fresh = open_sqlite(Path(place) / "fresh.sqlite")
        with fresh.connect() as other:
            wanted = _definitions(other)
        fresh.dispose()
    found = _definitions(connection)
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            message = _("{name} is not as revision {revision} has it")
            yield message.format(name=name, revision=HEAD)


def _definitions(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: sql for name, sql in rows if not name.startswith("sqlite_")}


def _file(connection: Connection) -> Iterator[str]:
    for (told,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if told != "ok":
            yield str(told)


def _references(connection: Connection) -> Iterator[str]:
    for table, row, parent, _number in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        message = _("{table} (row {row}) points to nothing in {parent}")
        yield message.format(table=table, row=row, parent=parent)


def _evidence(connection: Connection) -> Iterator[str]:
    every = select(evidence.c.digest, evidence.c.size, evidence.c.content)
    for row in connection.execution_options(yield_per=_BATCH).execute(every):
        content = unpacked(row.digest, row.content)
        if content is None or len(content) != row.size:
            yield _("evidence {digest} was altered").format(digest=row.digest)


def _summaries(connection: Connection) -> Iterator[str]:
    for row in connection.execution_options(yield_per=_BATCH).execute(select(summary)):
        if not summaries.is_sound(row._mapping):
            yield _("summary {digest} was altered").format(digest=row.digest)


def _log(log: AuditLog) -> Iterator[str]:
    log.verify()
    yield from ()


def _audits(connection: Connection) -> Iterator[str]:
    """Compare what hosts answered in each audit with what the audit log says of it.

    Audits of the time that was pruned cannot be compared any more.
    """
    entries = connection.execute(select(audit_log.c.action, audit_log.c.detail)).all()
    told = [json.loads(entry.detail) for entry in entries if entry.action == RunKind.AUDIT.value]
    covered = {one["run"]: one["evidence"] for one in told if "evidence" in one}
    cuts = [json.loads(e.detail)["before"] for e in entries if e.action == PRUNED]
    cut = max((first_id(datetime.fromisoformat(one)) for one in cuts), default="")
    found: set[str] = set()
    for name, digest in _answers(connection, cut):
        found.add(name)
        if covered.get(name, digest) != digest:
            yield _("run {run}: not what the audit log says that hosts answered").format(run=name)
    ended = select(run.c.id).where(
        run.c.kind == RunKind.AUDIT.value, run.c.status == RunStatus.DONE.value, run.c.id >= cut
    )
    for name in connection.execute(ended).scalars():
        if name not in covered:
            yield _("run {run}: not in the audit log").format(run=name)
    for name, digest in covered.items():
        if name >= cut and name not in found and digest != answers_digest({}):
            yield _("run {run}: in the audit log, but not in the store").format(run=name)


def _answers(connection: Connection, cut: str) -> Iterator[tuple[str, str]]:
    """Yield each run with the digest over what its hosts answered."""
    rows = connection.execution_options(yield_per=_BATCH).execute(
        select(run_host.c.run_id, host.c.name, evidence.c.digest, run_host.c.aside)
        .join(host, host.c.id == run_host.c.host_id)
        .outerjoin(evidence, evidence.c.id == run_host.c.evidence_id)
        .where(run_host.c.run_id >= cut, run_host.c.reach.is_not(None))
        .order_by(run_host.c.run_id)
    )
    for name, hosts in groupby(rows, lambda row: row.run_id):
        yield name, answers_digest({one.name: label(one.digest, one.aside) for one in hosts})


_LOOKS: dict[Part, Callable[[Connection], Iterator[str]]] = {
    Part.SCHEMA: _schema,
    Part.FILE: _file,
    Part.REFERENCES: _references,
    Part.EVIDENCE: _evidence,
    Part.SUMMARIES: _summaries,
}

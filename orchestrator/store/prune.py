"""Prune: what an old store may forget, and what it never forgets.

It forgets answers of old audits, and old audits that found nothing new. It never forgets a change
of a finding, the audit log, runs that changed hosts, or what a finding that stands rests on. Of
each host the last whole audit of a day stays, without its answer: trends are made of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    exists,
    func,
    literal,
    select,
    union,
    update,
)

from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.model.record import Prunable, RunKind
from orchestrator.store.findings import OPEN, UNREAD
from orchestrator.store.run_hosts import NEWEST_ATTEMPT
from orchestrator.store.runs import first_id
from orchestrator.store.schema import (
    SYNCED,
    WRITING,
    evidence,
    finding,
    host,
    run,
    run_host,
    summary,
    transition,
)

_DAY = func.substr(run_host.c.run_id, 1, len("YYYYMMDD"))


def _pairs(name: str) -> Table:
    return Table(
        name,
        MetaData(),
        Column("run_id", String, primary_key=True),
        Column("host_id", Integer, primary_key=True),
        prefixes=["TEMPORARY"],
    )


# (run, host) of the rows that stay, and of those that keep their answer as well.
_STAYS, _SPEAKS = _pairs("luytre_stays"), _pairs("luytre_speaks")


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose foreign keys are checked at the end, not row by row.

    SQLite would read all rows of runs for each answer that goes.
    """
    with engine.execution_options(**{WRITING: SYNCED}).connect() as connection:
        connection.detach()
        raw = connection.connection.dbapi_connection
        if raw is not None:
            raw.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            yield connection
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise ControllerError(_("pruning would have broken the store; nothing was done"))


def prunable(connection: Connection, before: datetime) -> Prunable:
    """Return what may go of what is older; call it first, ``carry_out`` builds on it."""
    cut = first_id(before)
    for table in (_STAYS, _SPEAKS):
        table.drop(connection, checkfirst=True)
        table.create(connection)
    _note_what_stays(connection, cut)
    answers = select(func.count(), func.coalesce(func.sum(func.length(evidence.c.content)), 0))
    number, size = connection.execute(answers.where(_is_silent(cut))).one()
    return Prunable(
        before=before,
        audits=_count(connection, select(func.count()).select_from(run_host).where(_goes(cut))),
        runs=_count(connection, select(func.count()).select_from(run).where(_is_empty(cut))),
        answers=number,
        answer_bytes=size,
    )


def carry_out(connection: Connection, before: datetime) -> None:
    """Remove what ``prunable`` counted, in the same transaction."""
    cut = first_id(before)
    connection.execute(delete(run_host).where(_goes(cut)))
    connection.execute(delete(run).where(_is_empty(cut)))
    mute = (run_host.c.run_id < cut, run_host.c.evidence_id.is_not(None), ~_is_in(_SPEAKS))
    connection.execute(update(run_host).where(*mute).values(evidence_id=None, aside=""))
    used = select(run_host.c.evidence_id).where(run_host.c.evidence_id.is_not(None))
    connection.execute(delete(evidence).where(evidence.c.id.not_in(used)))
    used = select(run_host.c.summary_id).where(run_host.c.summary_id.is_not(None))
    connection.execute(delete(summary).where(summary.c.id.not_in(used)))


def _note_what_stays(connection: Connection, cut: str) -> None:
    pointed_at = [
        select(finding.c.last_run, finding.c.host_id),
        *(
            select(column, host.c.id).where(column.is_not(None))
            for column in (host.c.reference_run, host.c.last_audit_run, host.c.judged_run)
        ),
        select(NEWEST_ATTEMPT, host.c.id).where(NEWEST_ATTEMPT.is_not(None)),
    ]
    newest = select(func.max(transition.c.id)).group_by(transition.c.host_id, transition.c.control)
    standing = (
        select(transition.c.run_id, transition.c.host_id)
        .join(
            finding,
            (finding.c.host_id == transition.c.host_id)
            & (finding.c.control == transition.c.control),
        )
        .where(transition.c.id.in_(newest), OPEN | UNREAD)
    )
    last_of_a_day = (
        select(func.max(run_host.c.run_id), run_host.c.host_id)
        .join(run, run.c.id == run_host.c.run_id)
        .where(run_host.c.run_id < cut, run_host.c.summary_id.is_not(None), run.c.scope == "")
        .group_by(run_host.c.host_id, _DAY)
    )
    changes = select(transition.c.run_id, transition.c.host_id)
    columns = ["run_id", "host_id"]
    speaks = union(*pointed_at, standing)
    connection.execute(_SPEAKS.insert().from_select(columns, speaks))
    stays = union(*pointed_at, changes, last_of_a_day)
    connection.execute(_STAYS.insert().from_select(columns, stays))


def _goes(cut: str) -> ColumnElement[bool]:
    """Tell whether a host's row in a run may go."""
    audits = select(run.c.id).where(run.c.kind == RunKind.AUDIT.value, run.c.id < cut)
    return (run_host.c.run_id < cut) & run_host.c.run_id.in_(audits) & ~_is_in(_STAYS)


def _is_in(table: Table) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            table.c.run_id == run_host.c.run_id, table.c.host_id == run_host.c.host_id
        )
    )


def _is_empty(cut: str) -> ColumnElement[bool]:
    """Tell whether all rows of an old audit may go; nothing else names it then."""
    audit = run.c.kind == RunKind.AUDIT.value
    return (run.c.id < cut) & audit & run.c.id.not_in(select(_STAYS.c.run_id))


def _is_silent(cut: str) -> ColumnElement[bool]:
    """Tell whether no row that keeps its answer has this one."""
    kept = (run_host.c.run_id >= cut) | _is_in(_SPEAKS)
    used = select(run_host.c.evidence_id).where(run_host.c.evidence_id.is_not(None), kept)
    return evidence.c.id.not_in(used)


def _count(connection: Connection, query: object) -> int:
    return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]

"""Runs: started, listed, ended."""

import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, select, update

from orchestrator import __version__
from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunKind, RunStatus
from orchestrator.store.schema import run as table


def start(connection: Connection, new: NewRun, at: datetime) -> Run:
    """Write a run that starts now and return it; RefusedError where its plan was used before."""
    require_unused(connection, new.plan)
    run = Run(
        id=_free_id(connection, at),
        kind=new.kind,
        operator=new.operator,
        controller=socket.gethostname(),
        started=at,
        tool=__version__,
        profile=new.profile,
        limit=new.limit,
        scope=new.scope,
        note=new.note,
        plan=new.plan,
    )
    connection.execute(
        table.insert(),
        {
            "id": run.id,
            "kind": run.kind.value,
            "operator": run.operator,
            "controller": run.controller,
            "tool": run.tool,
            "profile": run.profile,
            "host_limit": run.limit,
            "scope": run.scope,
            "note": run.note,
            "started": run.started,
            "status": run.status.value,
            "plan": run.plan or None,
        },
    )
    return run


def require_unused(connection: Connection, plan: str) -> None:
    """Raise RefusedError where a run used this saved plan, however it ended."""
    used = connection.execute(select(table.c.id).where(table.c.plan == plan)).scalar()
    if used is not None:
        message = _("the plan {plan} was used before, by run {run}: a plan is used once")
        raise RefusedError(
            message.format(plan=plan, run=used), hint=_("plan anew: luytre plan --save FILE")
        )


def finish(connection: Connection, run: str, status: RunStatus, at: datetime) -> None:
    """Note how a run ended; raises ConfigurationError for an unknown run."""
    done = connection.execute(
        update(table).where(table.c.id == run).values(status=status.value, ended=at)
    )
    if not done.rowcount:
        raise _unknown(run)


def get(connection: Connection, run: str) -> Run:
    """Return one run; raises ConfigurationError where there is none of that id."""
    row = connection.execute(select(table).where(table.c.id == run)).one_or_none()
    if row is None:
        raise _unknown(run)
    return _read(row)


def newest(connection: Connection, limit: int, status: RunStatus | None) -> tuple[Run, ...]:
    """Return up to ``limit`` runs, newest first, of one status where one is given."""
    wanted = select(table).order_by(table.c.id.desc()).limit(limit)
    if status is not None:
        wanted = wanted.where(table.c.status == status.value)
    return tuple(_read(row) for row in connection.execute(wanted))


def whole_audit(connection: Connection) -> Run | None:
    """Return the newest audit without a limit that came to its end."""
    newest = (
        select(table)
        .where(table.c.kind == RunKind.AUDIT.value, table.c.host_limit == "")
        .where(table.c.status == RunStatus.DONE.value)
        .order_by(table.c.id.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    return None if row is None else _read(row)


def first_id(at: datetime) -> str:
    """Return the id that a run of this moment has: ids sort by time to the microsecond."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ-%f")


def _free_id(connection: Connection, at: datetime) -> str:
    """Return an id that sorts by time to the microsecond and is not taken yet."""
    while True:
        wanted = first_id(at)
        if connection.execute(select(table.c.id).where(table.c.id == wanted)).first() is None:
            return wanted
        at += timedelta(microseconds=1)


def _unknown(run: str) -> ConfigurationError:
    message = _("the store knows no run {run}").format(run=run)
    return ConfigurationError(message, hint="luytre runs list")


def _read(row: Row[tuple[object, ...]]) -> Run:
    values = dict(row._mapping)
    values["limit"] = values.pop("host_limit")
    values["kind"] = RunKind(values["kind"])
    values["status"] = RunStatus(values["status"])
    values["plan"] = values["plan"] or ""
    return Run(**values)

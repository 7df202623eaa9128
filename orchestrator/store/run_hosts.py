"""Hosts in runs: the step they are in, how they answered, how a change of them ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.record import AuditedHost, Compliance, Counts, HostRun
from orchestrator.store.schema import host, run, run_host

_SELECT = select(run_host, host.c.name).join(host, host.c.id == run_host.c.host_id)
_ONE = (run_host.c.host_id == bindparam("of_host")) & (run_host.c.run_id == bindparam("of_run"))


def put(connection: Connection, run_id: str, host_id: int, values: Mapping[str, Any]) -> None:
    """Write columns of one host in one run; the other columns stay as they are."""
    key = {"of_host": host_id, "of_run": run_id}
    done = connection.execute(update(run_host).where(_ONE).values(values), key)
    if not done.rowcount:
        connection.execute(run_host.insert(), {"host_id": host_id, "run_id": run_id, **values})


def audit_values(host: AuditedHost, evidence: str | None) -> dict[str, Any]:
    """Return the columns that an audit of a host fills."""
    counts = Counts.of(host.audit.findings) if host.audit.reach is Reach.ANSWERED else None
    # An audit that succeeded leaves the reason of the change that it follows.
    reason = {"reason": host.audit.failure} if host.audit.failure else {}
    return {
        **reason,
        "reach": host.audit.reach.value,
        "counts": {verdict.value: n for verdict, n in counts.verdicts.items()} if counts else None,
        "waived": counts.waived if counts else 0,
        "manifest": host.manifest,
        "evidence": evidence,
        "seconds": host.audit.seconds,
    }


def outcome_values(outcome: HostOutcome) -> dict[str, Any]:
    """Return the columns that the end of a change fills."""
    return {
        "outcome": outcome.outcome.value,
        "reason": outcome.reason,
        "changed": list(outcome.changed),
        "still_failing": list(outcome.still_failing),
    }


def of_run(connection: Connection, run_id: str) -> tuple[HostRun, ...]:
    """Return the hosts of a run by name."""
    rows = connection.execute(_SELECT.where(run_host.c.run_id == run_id).order_by(host.c.name))
    return tuple(_read(row._mapping) for row in rows)


def compliance(connection: Connection, run_id: str) -> tuple[Compliance, ...]:
    """Return each host's counts before a run and after it, from whole audits only.

    After is the run's own audit, or else the next one; before is the last one ahead of the run.
    """
    older = run_host.c.run_id < run_id
    before = _counts(connection, run_id, func.max(run_host.c.run_id), older)
    after = _counts(connection, run_id, func.min(run_host.c.run_id), ~older)
    names = _SELECT.where(run_host.c.run_id == run_id).order_by(host.c.name)
    return tuple(
        Compliance(row.name, before.get(row.host_id), after.get(row.host_id))
        for row in connection.execute(names)
    )


def _counts(connection: Connection, run_id: str, pick: Any, side: Any) -> dict[int, Counts]:
    hosts = select(run_host.c.host_id).where(run_host.c.run_id == run_id)
    whole = (
        select(run_host.c.host_id, pick.label("run_id"))
        .join(run, run.c.id == run_host.c.run_id)
        .where(side, run.c.scope == "", run_host.c.reach == Reach.ANSWERED.value)
        .where(run_host.c.host_id.in_(hosts))
        .group_by(run_host.c.host_id)
        .subquery()
    )
    rows = connection.execute(
        select(run_host).join(
            whole,
            (whole.c.host_id == run_host.c.host_id) & (whole.c.run_id == run_host.c.run_id),
        )
    )
    found = ((row.host_id, _read_counts(row._mapping)) for row in rows)
    return {host_id: counts for host_id, counts in found if counts}


def _read_counts(row: RowMapping) -> Counts | None:
    if row["counts"] is None:
        return None
    return Counts({Verdict(verdict): n for verdict, n in row["counts"].items()}, row["waived"])


def _read(row: RowMapping) -> HostRun:
    return HostRun(
        run=row["run_id"],
        host=row["name"],
        step=row["step"],
        reach=Reach(row["reach"]) if row["reach"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason=row["reason"],
        counts=_read_counts(row),
        manifest=row["manifest"],
        evidence=row["evidence"] or "",
        seconds=row["seconds"],
        changed=tuple(row["changed"] or ()),
        still_failing=tuple(row["still_failing"] or ()),
    )

"""Hosts in runs: the step they are in, how they answered, how a change of them ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.record import Counts, HostRun, RunKind
from orchestrator.store import summaries
from orchestrator.store.schema import evidence, host, run, run_host, summary

_SELECT = (
    select(
        run_host,
        host.c.name,
        summary.c.manifest,
        summary.c.counts,
        summary.c.waived,
        evidence.c.digest,
    )
    .join(host, host.c.id == run_host.c.host_id)
    .outerjoin(summary, summary.c.id == run_host.c.summary_id)
    .outerjoin(evidence, evidence.c.id == run_host.c.evidence_id)
)
_ONE = (run_host.c.host_id == bindparam("of_host")) & (run_host.c.run_id == bindparam("of_run"))
_each = run_host.alias()
NEWEST_ATTEMPT = (
    select(_each.c.run_id)
    .where(_each.c.host_id == host.c.id, _each.c.reach.is_not(None))
    .order_by(_each.c.run_id.desc())
    .limit(1)
    .correlate(host)
    .scalar_subquery()
)


def put(connection: Connection, run_id: str, host_id: int, values: Mapping[str, Any]) -> None:
    """Write columns of one host in one run; the other columns stay as they are."""
    key = {"of_host": host_id, "of_run": run_id}
    done = connection.execute(update(run_host).where(_ONE).values(values), key)
    if not done.rowcount:
        connection.execute(run_host.insert(), {"host_id": host_id, "run_id": run_id, **values})


def audit_values(audit: HostAudit, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that an audit of a host fills; ``kept`` are those of what was kept."""
    # An audit that succeeded leaves the reason of the change that it follows.
    reason = {"reason": audit.failure} if audit.failure else {}
    return {**reason, **kept, "reach": audit.reach.value, "seconds": audit.seconds}


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


def last_changes(connection: Connection) -> tuple[HostRun, ...]:
    """Return each host's newest part in a run that changes hosts, by host."""
    changes = select(run.c.id).where(run.c.kind != RunKind.AUDIT.value)
    rows = connection.execute(
        _SELECT.where(run_host.c.run_id.in_(changes)).order_by(host.c.name, run_host.c.run_id)
    )
    newest = {row.name: row for row in rows}
    return tuple(_read(row._mapping) for row in newest.values())


def last_attempts(connection: Connection) -> tuple[HostRun, ...]:
    """Return each host's newest audit that came to an end for it, whatever the end was."""
    rows = connection.execute(
        _SELECT.where(run_host.c.run_id == NEWEST_ATTEMPT).order_by(host.c.name)
    )
    return tuple(_read(row._mapping) for row in rows)


def _read(row: RowMapping) -> HostRun:
    return HostRun(
        run=row["run_id"],
        host=row["name"],
        step=row["step"],
        reach=Reach(row["reach"]) if row["reach"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason=row["reason"],
        counts=_counts(row),
        manifest=row["manifest"] or "",
        evidence=row["digest"] or "",
        aside=row["aside"],
        seconds=row["seconds"],
        changed=tuple(row["changed"] or ()),
        still_failing=tuple(row["still_failing"] or ()),
    )


def _counts(row: RowMapping) -> Counts | None:
    return None if row["counts"] is None else summaries.counts_of(row["counts"], row["waived"])

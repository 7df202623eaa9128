"""Hosts in runs: the step they are in, how they answered, how a change of them ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.record import AuditedHost, Counts, HostRun
from orchestrator.store.schema import host, run_host

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

"""Summaries: how the controls of a host stood in an audit; audits alike share one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select

from orchestrator.model.errors import ControllerError
from orchestrator.model.finding import Finding, Mark, Verdict
from orchestrator.model.i18n import _
from orchestrator.model.record import Counts, Summary
from orchestrator.store.schema import host, run_host, summary

_BY_DIGEST = select(summary.c.id).where(summary.c.digest == bindparam("wanted"))
_WAIVED = "waived"
_AT_ONCE = 1000


def keep(connection: Connection, manifest: str, findings: Iterable[Finding]) -> int:
    """Keep the verdicts of one audited host under its manifest's digest; return their place."""
    many = tuple(findings)
    verdicts = _verdicts(many)
    digest = digest_of(manifest, verdicts)
    place: int | None = connection.execute(_BY_DIGEST, {"wanted": digest}).scalar()
    if place is None:
        counts = Counts.of(many)
        row = {
            "digest": digest,
            "manifest": manifest,
            "counts": {verdict.value: n for verdict, n in counts.verdicts.items()},
            "waived": counts.waived,
            "verdicts": verdicts,
        }
        added = summary.insert().returning(summary.c.id)
        place = connection.execute(added, row).scalar_one()
    return place


def digest_of(manifest: str, told: Any) -> str:
    """Return the SHA-256 (hexadecimal) under which a summary is kept; ``told`` is plain data."""
    canonical = json.dumps([manifest, told], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def counts_of(counts: Mapping[str, int], waived: int) -> Counts:
    """Return the counts from their columns."""
    return Counts({Verdict(verdict): n for verdict, n in counts.items()}, waived)


def read(connection: Connection, places: Iterable[int]) -> dict[int, Summary]:
    """Return summaries by place; raises ControllerError for one that is not what it was."""
    wanted = select(summary).where(summary.c.id.in_(bindparam("places", expanding=True)))
    many, found = list(places), {}
    for start in range(0, len(many), _AT_ONCE):
        for row in connection.execute(wanted, {"places": many[start : start + _AT_ONCE]}):
            if not is_sound(row._mapping):
                raise ControllerError(_("summary {digest} was altered").format(digest=row.digest))
            verdicts = None if row.verdicts is None else _by_control(row.verdicts)
            found[row.id] = Summary(counts_of(row.counts, row.waived), verdicts)
    return found


def is_sound(row: RowMapping) -> bool:
    """Tell whether a summary is what its digest says."""
    told = [row["counts"], row["waived"]] if row["verdicts"] is None else row["verdicts"]
    return digest_of(row["manifest"], told) == str(row["digest"])


def of_host(connection: Connection, run: str, name: str) -> Summary | None:
    """Return how the controls of one host stood in a run; None where it gave no findings."""
    wanted = (
        select(run_host.c.summary_id)
        .join(host, host.c.id == run_host.c.host_id)
        .where(run_host.c.run_id == run, host.c.name == name)
    )
    place = connection.execute(wanted).scalar()
    return None if place is None else read(connection, [place])[place]


def _verdicts(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Return verdict → its controls, and ``waived`` → the failures that a waiver covers."""
    told: dict[str, list[str]] = {}
    for one in findings:
        told.setdefault(one.verdict.value, []).append(one.control)
        if one.verdict is Verdict.FAIL and Mark.WAIVED in one.marks:
            told.setdefault(_WAIVED, []).append(one.control)
    return {verdict: sorted(controls) for verdict, controls in told.items()}


def _by_control(told: Mapping[str, list[str]]) -> dict[str, Verdict]:
    return {
        control: Verdict(verdict)
        for verdict, controls in told.items()
        if verdict != _WAIVED
        for control in controls
    }

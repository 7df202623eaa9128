"""A store on every kind of database that we support, with a clock that ticks once a second."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.record import Advance, AuditedHost, CurrentFinding, Memory, Reading
from orchestrator.store.repository import Store

DATABASES = ["sqlite:///{directory}/luytre.db"]

Clock = Callable[[], datetime]


@pytest.fixture
def clock() -> Clock:
    now = datetime(2026, 11, 23, 19, 13, tzinfo=UTC)

    def tick() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    return tick


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    url = make_url(request.param.format(directory=tmp_path))
    assert url.get_backend_name() == "sqlite", "give this fixture the way to open it"
    with Store.open(Path(url.database or ""), clock) as opened:
        yield opened


@pytest.fixture
def audited() -> Callable[..., AuditedHost]:
    """Return the builder of a host's audit from control → verdict."""

    def build(host: str, verdicts: dict[str, Verdict], **rest: object) -> AuditedHost:
        findings = tuple(
            Finding(host, control, verdict, Severity.HIGH, (StateFinding("sshd", verdict),))
            for control, verdict in verdicts.items()
        )
        raw = str(rest.pop("raw", f"{host} {verdicts}")).encode()
        facts = rest.pop("facts", {})
        assert isinstance(facts, dict)
        audit = HostAudit(host, Reach.ANSWERED, findings, facts=facts, raw=raw, seconds=0.5)
        return AuditedHost(audit, "m" * 64, **rest)  # type: ignore[arg-type]

    return build


@pytest.fixture
def stand() -> Callable[..., Callable[[Memory, datetime], Advance]]:
    """Return the builder of a judgement that takes findings as they are, without drift."""

    def build(host: AuditedHost, run: str, observed: str = "yes") -> Callable[..., Advance]:
        def step(memory: Memory, at: datetime) -> Advance:
            del memory
            return Advance({f.control: _stands(f, run, at, observed) for f in host.audit.findings})

        return step

    return build


def _stands(finding: Finding, run: str, at: datetime, observed: str) -> CurrentFinding:
    failed = finding.verdict is Verdict.FAIL
    return CurrentFinding(
        host=finding.host,
        control=finding.control,
        verdict=finding.verdict,
        severity=finding.severity,
        since=at,
        last_run=run,
        marks=frozenset({Mark.PENDING}) if failed else frozenset(),
        expected="no",
        observed=observed,
        ever_passed=not failed,
        reading=Reading(finding.verdict, failed, "o" * 64, "w" * 64, "1"),
    )

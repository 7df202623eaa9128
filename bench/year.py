"""Fill a store with a year of hourly audits, as a province's calm year would.

Hosts that differ from the hour before go through the code of a real audit; all others, nearly all,
are written in bulk as that code would write them.
"""

import json
import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, String, cast, literal, select, update

from orchestrator.drift.lifecycle import AuditContext, advance
from orchestrator.model.evidence import answers_digest, label
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import (
    Advance,
    AuditedHost,
    Memory,
    NewRun,
    Run,
    RunKind,
    RunStatus,
)
from orchestrator.store import log, runs, schema
from orchestrator.store.engine import open_sqlite
from orchestrator.store.repository import Store

_SEVERITIES = tuple(Severity)
_NEW = NewRun(RunKind.AUDIT, "Bench Operator", profile="bench")


@dataclass(frozen=True)
class Plan:
    """How large the year is; ``events`` are the transitions of the whole fleet a day."""

    hosts: int = 300
    controls: int = 150
    days: int = 365
    audits_a_day: int = 24
    events: float = 6.0
    start: datetime = datetime(2025, 12, 1, tzinfo=UTC)
    seed: int = 1

    @property
    def rows(self) -> int:
        """Return how many hosts are audited in all, each audit counted."""
        return self.hosts * self.days * self.audits_a_day


@dataclass
class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class _Year:
    """The fleet while the year goes by: ``failing`` (host, control) pairs, the dice, the clock."""

    plan: Plan
    clock: _Clock
    dice: random.Random
    hosts: dict[str, ManagedHost]
    manifests: dict[str, Manifest]
    failing: set[tuple[str, str]] = field(default_factory=set)

    def audit(self, name: str) -> HostAudit:
        """Return what a host answers now."""
        controls = self.manifests[name].document["controls"]
        findings = tuple(self._finding(name, control) for control in controls)
        return HostAudit(
            host=name,
            reach=Reach.ANSWERED,
            findings=findings,
            facts={"machine_id": f"{self.plan.seed:032x}", "runs": {}},
            raw=_wire(name, findings, self.clock.now),
            seconds=0.0625,
        )

    def _finding(self, name: str, control: dict[str, str]) -> Finding:
        fails = (name, control["id"]) in self.failing
        verdict = Verdict.FAIL if fails else Verdict.PASS
        observed = f"{control['want']} on {name}" if verdict is Verdict.PASS else "0644 root:root"
        state = StateFinding("file", verdict, control["want"], observed)
        return Finding(name, control["id"], verdict, Severity(control["severity"]), (state,))

    def turn(self) -> set[str]:
        """Let this hour's events happen and return the hosts that they touched."""
        touched = set()
        share = self.plan.events / self.plan.audits_a_day
        count = int(share) + (self.dice.random() < share % 1)
        for _event in range(count):
            name = self.dice.choice(list(self.hosts))
            control = self.dice.choice(self.manifests[name].document["controls"])["id"]
            self.failing ^= {(name, control)}
            touched.add(name)
        return touched


def fill(path: Path, plan: Plan) -> None:
    """Make the store at ``path`` and fill it."""
    year = _begin(plan)
    engine = open_sqlite(path)
    writer = engine.execution_options(**{schema.WRITING: schema.SYNCED_LATER})
    before = None
    with Store(engine, year.clock) as store:
        for hour in range(plan.days * plan.audits_a_day):
            year.clock.now = plan.start + hour * timedelta(days=1) / plan.audits_a_day
            touched = year.turn() if before else set(year.hosts)
            with writer.begin() as connection:
                run = runs.start(connection, _NEW, year.clock())
                if before:
                    _catch_up(connection, before, touched)
                    _repeat(connection, run, before, touched)
            for name in sorted(touched):
                _judge(store, run, year, name)
            with writer.begin() as connection:
                _end(connection, run, year.clock())
            before = run
    if before:
        with writer.begin() as connection:
            _catch_up(connection, before, set(year.hosts))
    engine.dispose()


def _end(connection: Connection, run: Run, at: datetime) -> None:
    detail = {"run": run.id, "evidence": answers_digest(_labels(connection, run))}
    log.append(connection, at, run.operator, "audit", detail)
    runs.finish(connection, run.id, RunStatus.DONE, at)


def _begin(plan: Plan) -> _Year:
    dice = random.Random(plan.seed)
    controls = [
        {
            "id": f"control-{number:03}-of-the-bench",
            "severity": _SEVERITIES[number % 4].value,
            "want": f"/etc/example/{number}: {dice.randbytes(24).hex()}",
        }
        for number in range(plan.controls)
    ]
    names = [f"server{number:03}" for number in range(plan.hosts)]
    hosts = {
        name: ManagedHost(name, Endpoint(name, name), f"Department {number % 20}", 2)
        for number, name in enumerate(names)
    }
    manifests = {name: Manifest.of({"host": name, "controls": controls}) for name in names}
    year = _Year(plan, _Clock(plan.start), dice, hosts, manifests)
    for name in names:
        failing = dice.sample(controls, plan.controls // 5)
        year.failing |= {(name, control["id"]) for control in failing}
    return year


def _wire(name: str, findings: tuple[Finding, ...], now: datetime) -> bytes:
    """Return an answer as a host sends it."""
    told = [
        {
            "control": one.control,
            "verdict": one.verdict.value,
            "states": [
                {
                    "kind": state.kind,
                    "verdict": state.verdict.value,
                    "expected": state.expected,
                    "observed": state.observed,
                    "detail": state.detail,
                }
                for state in one.states
            ],
        }
        for one in findings
    ]
    host = {"hostname": name, "kernel": "6.1.0-49-amd64", "time": now.timestamp()}
    result = {"host": host, "runs": {"lock": None, "known": []}, "findings": told}
    return zlib.compress(json.dumps({"format": 1, "result": result}).encode(), 1)


def _judge(store: Store, run: Run, year: _Year, name: str) -> None:
    """Record one host as a real audit does."""
    audit, manifest, host = year.audit(name), year.manifests[name], year.hosts[name]

    def step(memory: Memory, at: datetime) -> Advance:
        wants = manifest.wishes.digests
        return advance(memory, audit, AuditContext(run.id, at, run.tool, wants))

    store.save_audit(run, AuditedHost(audit, manifest.digest, host.agency, host.level), step)


def _labels(connection: Connection, run: Run) -> dict[str, str]:
    """Return what the audit log covers of a run, by host."""
    table = schema.run_host
    rows = connection.execute(
        select(schema.host.c.name, schema.evidence.c.digest, table.c.aside)
        .join(table, table.c.host_id == schema.host.c.id)
        .join(schema.evidence, schema.evidence.c.id == table.c.evidence_id)
        .where(table.c.run_id == run.id)
    )
    return {name: label(digest, aside) for name, digest, aside in rows}


def _repeat(connection: Connection, run: Run, before: Run, touched: set[str]) -> None:
    """Write the hosts that answered as in the run before; only their clock went on."""
    table, now = schema.run_host, run.started.timestamp()
    told = {"run_id": literal(run.id), "aside": "72:" + cast(now + table.c.host_id / 1e3, String)}
    columns = [told.get(column.name, column) for column in table.c]
    ids = list(_ids(connection, touched).values())
    same = select(*columns).where(table.c.run_id == before.id, table.c.host_id.not_in(ids))
    connection.execute(table.insert().from_select(list(table.c), same))


def _catch_up(connection: Connection, before: Run, names: set[str]) -> None:
    """Note in the hosts that the run before saw them last, until they are judged anew."""
    host = schema.host
    ids = list(_ids(connection, names).values())
    values = {"last_audit_run": before.id, "last_seen": before.started}
    connection.execute(update(host).where(host.c.id.in_(ids)).values(values))


def _ids(connection: Connection, names: set[str]) -> dict[str, int]:
    rows = connection.execute(select(schema.host.c.name, schema.host.c.id))
    return {row.name: row.id for row in rows if row.name in names}

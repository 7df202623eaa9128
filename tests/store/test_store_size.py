"""A year of hourly audits fits into the store, and questions do not read all of it."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from bench.year import Plan, fill
from orchestrator.drift.history import current_drift
from orchestrator.drift.trend import periods, trend
from orchestrator.model.finding import Verdict
from orchestrator.model.record import DriftFilter
from orchestrator.report.series import By
from orchestrator.store.engine import open_sqlite
from orchestrator.store.repository import Store

# A year scaled down: fewer hosts, the same controls; as many events for each host as in the whole.
PLAN = Plan(hosts=6, days=60, events=0.3)
YEAR_ROWS = Plan().rows
LIMIT = 2_000_000_000


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("year") / "luytre.db"
    fill(path, PLAN)
    return path


@pytest.fixture
def store(year: Path) -> Iterator[Store]:
    with Store.open(year) as opened:
        yield opened


def test_a_year_of_three_hundred_hosts_would_stay_far_below_two_gigabytes(year):
    assert year.stat().st_size / PLAN.rows * YEAR_ROWS < LIMIT / 2


def test_one_more_audit_that_finds_nothing_new_costs_little(tmp_path):
    longer = tmp_path / "longer.db"
    calm = Plan(hosts=6, days=60, events=0)
    shorter = tmp_path / "shorter.db"
    fill(shorter, Plan(hosts=6, days=30, events=0))
    fill(longer, calm)
    grown = longer.stat().st_size - shorter.stat().st_size
    # The host's row and its place in the index take 125 bytes. The run and its entry in the audit
    # log take 650, which six hosts share here.
    assert grown / (calm.rows / 2) < 125 + 650 / 6
    with sqlite3.connect(longer) as raw:
        assert raw.execute("SELECT count(*) FROM evidence").fetchone() == (6,)
        assert raw.execute("SELECT count(*) FROM summary").fetchone() == (6,)


def test_the_scaled_year_is_a_true_one(store):
    """Each answer is there, to the byte, and says what the store says of that audit."""
    runs = store.runs(limit=100_000)
    assert len(runs) == PLAN.days * 24
    drift = store.transitions()
    assert 5 < len(drift) < 60
    for run in (runs[0], runs[-1], store.run(drift[0].run)):
        hosts = store.run_hosts(run.id)
        assert len(hosts) == PLAN.hosts
        for one in hosts:
            assert f'"hostname": "{one.host}"'.encode() in store.answer(run.id, one.host)
            summary = store.summary(run.id, one.host)
            assert summary.counts == one.counts
            assert len(summary.verdicts) == PLAN.controls
    told = drift[0]
    assert store.summary(told.run, told.host).verdicts[told.control] is told.after
    standing = {(one.host, one.control) for one in store.findings() if one.open}
    last = {one.host: store.summary(runs[0].id, one.host) for one in store.run_hosts(runs[0].id)}
    failing = {
        (host, control)
        for host, summary in last.items()
        for control, verdict in summary.verdicts.items()
        if verdict is Verdict.FAIL
    }
    assert standing == failing


QUESTIONS: dict[str, Callable[[Store], object]] = {
    "drift show": current_drift,
    "drift show --since": lambda s: current_drift(s, PLAN.start + timedelta(days=59)),
    "drift show --limit": lambda s: current_drift(s, hosts=["server001"]),
    "drift history --host": lambda s: s.transitions(DriftFilter(hosts=["server001"])),
    "drift history": lambda s: s.transitions(DriftFilter(limit=100)),
    "drift trend": lambda s: trend(
        s, By.AGENCY, periods(PLAN.start, PLAN.start + timedelta(days=60)), {}
    ),
    "newest attempts": Store.last_attempts,
    "hosts of a run": lambda s: s.run_hosts(s.runs(1)[0].id),
    "one answer": lambda s: s.answer(s.runs(1)[0].id, "server001"),
    "runs list": lambda s: s.runs(20),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_all_rows_of_the_large_tables(year, question):
    """The tables that grow with every audit are searched by their keys, never read whole."""
    engine = open_sqlite(year)
    asked: list[tuple[str, object]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    with Store(engine) as store:
        QUESTIONS[question](store)
    assert asked
    with sqlite3.connect(year) as raw:
        for statement, parameters in asked:
            plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            steps = [step for *_numbers, step in plan]
            assert [step for step in steps if reads_all(step)] == [], steps


def reads_all(step: str) -> bool:
    """Tell whether a step of a plan reads a table that grows, without an index to narrow it."""
    large = ("run_host", "evidence", "summary", "audit_log")
    return any(step.startswith((f"SCAN {name}", f"SCAN {name}_")) for name in large)

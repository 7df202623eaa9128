"""Forgetting what is old: what anybody still needs stays, and the log says what went."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.year import Plan, fill
from orchestrator.drift.history import current_drift
from orchestrator.drift.trend import trend
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ControllerError
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.record import Advance, AuditedHost, NewRun, RunKind, RunStatus
from orchestrator.report.series import By
from orchestrator.store.repository import Store

PLAN = Plan(hosts=4, controls=20, days=20, events=2)
CUT = PLAN.start + timedelta(days=15)
DAYS = [PLAN.start + timedelta(days=n) for n in range(21)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return twenty days of audits; on the second, a change and a host that could not be reached.

    That host was in no audit before or after.
    """
    path = tmp_path_factory.mktemp("prune") / "luytre.db"
    fill(path, PLAN)
    now = PLAN.start + timedelta(days=1, minutes=30)
    with Store.open(path, lambda: now) as store:
        change = store.start_run(NewRun(RunKind.APPLY, "an"))
        store.save_host_outcome(change.id, HostOutcome("server001", Outcome.CONFIRMED))
        store.finish_run(change.id, RunStatus.DONE)
        audit = store.start_run(NewRun(RunKind.AUDIT, "an"))
        lost = AuditedHost(HostAudit("lost", Reach.UNREACHABLE, failure="no route"), "")
        store.save_audit(audit, lost, lambda *_: Advance())
        store.finish_run(audit.id, RunStatus.FAILED)
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "luytre.db"))


def told(store: Store) -> dict[str, object]:
    """Return what people ask a store for."""
    return {
        "drift": current_drift(store),
        "transitions": store.transitions(),
        "findings": store.findings(),
        "attempts": store.last_attempts(),
        "hosts": store.hosts(),
        "changes": [run for run in store.runs(10_000) if run.kind is RunKind.APPLY],
        "trend": trend(store, By.HOST, DAYS, {}),
        "log": store.log.newest(10_000),
    }


def test_what_people_ask_for_is_the_same_before_and_after(path):
    with Store.open(path) as store:
        before = told(store)
        gone = store.prune("an", CUT)
        store.shrink()
        after = told(store)
        entry, *older = after.pop("log")
        assert {**after, "log": tuple(older)} == before
        assert gone.audits > PLAN.rows * 15 / 20 * 0.9
        assert (entry.operator, entry.action) == ("an", "store pruned")
        assert entry.detail["audits"] == gone.audits
        assert datetime.fromisoformat(entry.detail["before"]) == CUT
        assert [check for check in store.verify() if check.problems] == []


def test_what_would_go_is_what_goes(path):
    def rows(table: str) -> int:
        with sqlite3.connect(path) as raw:
            (number,) = raw.execute(f"SELECT count(*) FROM {table}").fetchone()
        return number

    tables = {"run_host": "audits", "run": "runs", "evidence": "answers"}
    before = {table: rows(table) for table in tables}
    with Store.open(path) as store:
        wanted = store.prunable(CUT)
        assert {table: rows(table) for table in tables} == before
        assert store.prune("an", CUT) == wanted
        assert not wanted.nothing
        for table, name in tables.items():
            assert before[table] - rows(table) == getattr(wanted, name) > 0
        assert store.prunable(CUT).nothing


def test_answers_that_something_standing_rests_on_are_given_back_and_old_ones_not(path):
    with Store.open(path) as store:
        store.prune("an", CUT)
        for host in store.hosts():
            for run in filter(None, (host.reference, host.last_audit)):
                assert store.answer(run, host.name)
        for one in current_drift(store):
            assert store.answer(one.run, one.host)
        for one in store.findings():
            assert store.answer(one.last_run, one.host)
        standing = {(one.host, one.run) for one in current_drift(store)}
        passed = [
            one
            for one in store.transitions()
            if one.at < CUT and (one.host, one.run) not in standing
        ]
        assert passed
        for one in passed:
            assert store.summary(one.run, one.host)
            with pytest.raises(ControllerError, match="holds no answer"):
                store.answer(one.run, one.host)


def test_nothing_of_the_time_that_is_kept_is_touched(path):
    def rows() -> list[tuple[object, ...]]:
        query = "SELECT * FROM run_host WHERE run_id >= '20251216' ORDER BY run_id, host_id"
        with sqlite3.connect(path) as raw:
            return raw.execute(query).fetchall()

    before = rows()
    with Store.open(path) as store:
        store.prune("an", CUT)
    assert rows() == before
    assert len(before) == 5 * 24 * 4


def test_the_room_is_given_back(path):
    size = path.stat().st_size
    with Store.open(path) as store:
        store.prune("an", CUT)
        store.shrink()
    assert path.stat().st_size < size * 0.75
    assert [file.name for file in path.parent.iterdir()] == ["luytre.db"]


def test_a_store_that_would_break_is_left_as_it_is(path):
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("UPDATE transition SET run_id = 'gone' WHERE id = 1")
    raw.close()
    with Store.open(path) as store:
        before = told(store)
        with pytest.raises(ControllerError, match="nothing was done"):
            store.prune("an", CUT)
        assert told(store) == before


def test_an_empty_store_has_nothing_to_forget(tmp_path):
    with Store.open(tmp_path / "luytre.db") as store:
        assert store.prunable(datetime.now(UTC)).nothing

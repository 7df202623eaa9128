"""A store that an older version wrote keeps all that it told."""

import hashlib
import json
import sqlite3
import zlib
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from orchestrator import store as package
from orchestrator.model.errors import RefusedError
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.record import Advance, NewRun, RunKind
from orchestrator.store.repository import Store

PASS, FAIL = Verdict.PASS, Verdict.FAIL
RUNS = [f"20261123T19130{n}Z-000000" for n in range(4)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a store of revision 0001: web1 audited three times, db1 once and once in vain."""
    path = tmp_path / "luytre.db"
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with sqlite3.connect(path) as raw:
        fill(raw)
    raw.close()
    return path


def fill(raw: sqlite3.Connection) -> None:
    moment = "2026-11-23 19:13:00.000000"
    for run in RUNS:
        row = (run, "audit", "an", "ctl", "0.1.0", "p", "", "", "", moment, moment, "done")
        raw.execute(f"INSERT INTO run VALUES ({','.join('?' * 12)})", row)
    for number, name in ((1, "web1"), (2, "db1")):
        row = (number, name, moment, moment, RUNS[0], RUNS[2], "likeness")
        raw.execute("INSERT INTO host VALUES (?,?,?,?,?,?,?)", row)
    answers = {
        (1, RUNS[0]): ({"pass": 1, "fail": 1}, {"a": "pass", "b": "fail"}, 1.5),
        (1, RUNS[1]): ({"pass": 1, "fail": 1}, {"a": "pass", "b": "fail"}, 2.5),
        (1, RUNS[2]): ({"pass": 2}, {"a": "pass", "b": "pass"}, 3.5),
        # This host left a control out: the answer does not bear the counts out.
        (2, RUNS[2]): ({"pass": 1, "error": 1}, {"a": "pass"}, 4.5),
    }
    for (host, run), (counts, verdicts, clock) in answers.items():
        told = [{"control": one, "verdict": verdict} for one, verdict in verdicts.items()]
        document = {"result": {"host": {"time": clock}, "findings": told}}
        wire = zlib.compress(json.dumps(document).encode())
        digest = hashlib.sha256(wire).hexdigest()
        row = (digest, len(wire), zlib.compress(wire, 1))
        raw.execute("INSERT INTO evidence VALUES (?,?,?)", row)
        columns = "host_id, run_id, reach, counts, manifest, evidence, seconds"
        row = (host, run, "answered", json.dumps(counts), "m" * 64, digest, 0.5)
        raw.execute(f"INSERT INTO run_host ({columns}) VALUES (?,?,?,?,?,?,?)", row)
    row = (2, RUNS[3], "unreachable", "no route")
    raw.execute("INSERT INTO run_host (host_id, run_id, reach, reason) VALUES (?,?,?,?)", row)
    for control, run in (("a", RUNS[2]), ("b", RUNS[1])):
        row = (1, control, "pass", "high", "", "", "", moment, run, 1, 0, "pass", 0, "o", "w", "1")
        raw.execute(f"INSERT INTO finding VALUES ({','.join('?' * 16)})", row)


def test_hosts_in_runs_come_through_with_counts_reasons_and_answers(path):
    with Store.open(path) as store:
        first, last = store.run_hosts(RUNS[0])[0], store.run_hosts(RUNS[3])[0]
        assert (first.host, first.reach, first.seconds) == ("web1", Reach.ANSWERED, 0.5)
        assert (first.counts.verdicts, first.manifest) == ({PASS: 1, FAIL: 1}, "m" * 64)
        assert (last.host, last.reach, last.reason) == ("db1", Reach.UNREACHABLE, "no route")
        assert (last.counts, last.evidence) == (None, "")
        answer = store.answer(RUNS[0], "web1")
        assert hashlib.sha256(zlib.compress(answer)).hexdigest() == first.evidence
        assert json.loads(answer)["result"]["host"]["time"] == 1.5


def test_verdicts_are_taken_from_answers_that_bear_the_counts_out(path):
    with Store.open(path) as store:
        assert store.summary(RUNS[1], "web1").verdicts == {"a": PASS, "b": FAIL}
        assert store.summary(RUNS[2], "web1").verdicts == {"a": PASS, "b": PASS}
        assert store.summary(RUNS[2], "db1").verdicts is None
        db1 = store.run_hosts(RUNS[2])[0]
        assert (db1.host, db1.counts.verdicts) == ("db1", {PASS: 1, Verdict.ERROR: 1})
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM summary").fetchone() == (3,)


def test_the_next_audit_goes_on_where_the_old_version_stopped(path, audited):
    with Store.open(path) as store:
        assert {one.control: one.last_run for one in store.findings()} == {
            "a": RUNS[2],
            "b": RUNS[1],
        }
        run = store.start_run(NewRun(RunKind.AUDIT, "an"))
        host = audited("web1", {"a": PASS}, likeness="likeness")
        store.save_audit(run, host, lambda *_: Advance())
        assert {one.control: one.last_run for one in store.findings()} == {
            "a": run.id,
            "b": RUNS[1],
        }


def test_runs_of_older_versions_used_no_saved_plan(path):
    with Store.open(path) as store:
        assert {run.plan for run in store.runs()} == {""}
        store.start_run(NewRun(RunKind.APPLY, "an", plan="0123456789abcdef"))
        with pytest.raises(RefusedError):
            store.start_run(NewRun(RunKind.APPLY, "an", plan="0123456789abcdef"))


def test_an_upgraded_store_is_sound_and_has_nothing_of_the_old_tables(path):
    Store.open(path).close()
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        left = raw.execute("SELECT name FROM sqlite_master WHERE name LIKE '%0001%'").fetchall()
    assert left == []

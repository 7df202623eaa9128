"""Whoever alters a store behind its back is found out, and what was altered is named."""

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bench.year import Plan, fill
from orchestrator.store.repository import Store
from orchestrator.store.verify import Part

PLAN = Plan(hosts=3, controls=10, days=4, audits_a_day=6, events=3)
TRIGGERS = ("no_update", "no_delete", "only_append")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "luytre.db"
    fill(path, PLAN)
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "luytre.db"))


def alter(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            raw.execute(statement)
    raw.close()


def problems(path: Path) -> dict[Part, tuple[str, ...]]:
    with Store.open(path) as store:
        checks = tuple(store.verify())
    assert [check.part for check in checks] == list(Part)
    return {check.part: check.problems for check in checks if check.problems}


def test_a_store_that_nobody_altered_is_sound(path):
    assert problems(path) == {}


def test_a_new_store_is_sound(tmp_path):
    assert problems(tmp_path / "new.db") == {}


@pytest.mark.parametrize(
    ("statement", "part", "told"),
    [
        ("DROP TRIGGER audit_log_no_update", Part.SCHEMA, "audit_log_no_update"),
        ("DROP INDEX ix_run_host_host", Part.SCHEMA, "ix_run_host_host"),
        ("CREATE TABLE mine (x)", Part.SCHEMA, "mine"),
        ("UPDATE finding SET last_run = 'gone' WHERE rowid = 1", Part.REFERENCES, "finding"),
        ("UPDATE evidence SET content = zeroblob(9) WHERE id = 1", Part.EVIDENCE, "altered"),
        ("UPDATE evidence SET size = 1 WHERE id = 1", Part.EVIDENCE, "altered"),
        (
            "UPDATE summary SET verdicts = replace(verdicts, 'fail', 'pass')",
            Part.SUMMARIES,
            "altered",
        ),
        ("UPDATE run_host SET evidence_id = 2 WHERE host_id = 1", Part.AUDITS, "not what the"),
        ("UPDATE run_host SET aside = '72:9' WHERE host_id = 2", Part.AUDITS, "not what the"),
        ("DELETE FROM run_host WHERE run_id LIKE '20251203%'", Part.AUDITS, "not in the store"),
        (
            "INSERT INTO run SELECT 'Z' || id, kind, operator, controller, tool, profile,"
            " host_limit, scope, note, started, ended, status, plan FROM run LIMIT 1",
            Part.AUDITS,
            "not in the audit log",
        ),
    ],
)
def test_an_alteration_is_found_in_its_part(path, statement, part, told):
    alter(path, statement)
    found = problems(path)
    assert set(found) == {part}
    assert told in found[part][0]
    assert len(found[part]) <= 20


def test_an_edited_entry_of_the_audit_log_is_found(path):
    alter(
        path,
        *(f"DROP TRIGGER audit_log_{name}" for name in TRIGGERS),
        "UPDATE audit_log SET operator = 'binh' WHERE seq = 5",
    )
    found = problems(path)
    assert found[Part.LOG] == ("audit log: entry 5 is not sound: its content was altered",)
    assert len(found[Part.SCHEMA]) == len(TRIGGERS)


def test_a_page_that_the_disk_lost_is_found(path):
    with sqlite3.connect(path) as raw:
        where = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'evidence'").fetchone()
        (page,) = raw.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((where[0] - 1) * page)
        file.write(b"\xff" * page)
    assert problems(path)


def test_what_was_pruned_is_not_missed_but_what_is_newer_is(path):
    cut = PLAN.start + timedelta(days=2)
    with Store.open(path) as store:
        store.prune("an", cut)
    assert problems(path) == {}
    alter(path, "UPDATE run_host SET aside = '72:9' WHERE run_id LIKE '20251204T08%'")
    assert [part.value for part in problems(path)] == ["audits"]

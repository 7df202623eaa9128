"""``luytre store``: people see what would go, agree, and are told what is not sound."""

import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.year import Plan, fill
from orchestrator.cli.main import run
from orchestrator.workspace.directory import Workspace, load

Told = pytest.CaptureFixture[str]


@pytest.fixture
def workspace(new_workspace: Path) -> Workspace:
    """Return a workspace with ten days of audits that ended yesterday."""
    time.tzset()
    made = load(new_workspace)
    made.prepare_state()
    start = datetime.now(UTC) - timedelta(days=11)
    plan = Plan(hosts=2, controls=5, days=10, audits_a_day=8, events=1, start=start)
    fill(made.store_file, plan)
    return made


def rows(workspace: Workspace) -> int:
    with sqlite3.connect(workspace.store_file) as raw:
        (number,) = raw.execute("SELECT count(*) FROM run_host").fetchone()
    return int(number)


def test_nothing_goes_unless_somebody_agrees(workspace: Workspace, capsys: Told) -> None:
    assert run(["store", "prune", "--keep", "5"]) == 6
    told = capsys.readouterr()
    assert "audits of servers that found nothing new" in told.err
    assert "--yes" in told.err
    assert rows(workspace) == 160


def test_a_dry_run_shows_and_changes_nothing(workspace: Workspace, capsys: Told) -> None:
    capsys.readouterr()
    assert run(["store", "prune", "--keep", "5", "--dry-run", "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert told["audits"] > 40
    assert rows(workspace) == 160


def test_what_was_agreed_to_goes_and_stands_in_the_log(workspace: Workspace, capsys: Told) -> None:
    capsys.readouterr()
    assert run(["store", "prune", "--keep", "5", "--yes", "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert rows(workspace) == 160 - told["audits"]
    assert run(["log", "show", "--number", "1", "--output", "json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert (entry["operator"], entry["action"]) == ("Trần Thị Bình", "store pruned")
    assert run(["store", "prune", "--keep", "5"]) == 0
    assert "nothing to forget" in capsys.readouterr().out


@pytest.mark.usefixtures("workspace")
def test_a_number_of_days_must_be_given() -> None:
    assert run(["store", "prune"]) == 2
    assert run(["store", "prune", "--keep", "0"]) == 2


def test_a_sound_store_says_so_of_each_part(workspace: Workspace, capsys: Told) -> None:
    capsys.readouterr()
    assert run(["store", "verify"]) == 0
    assert capsys.readouterr().out.count(": sound\n") == 7
    with sqlite3.connect(workspace.store_file) as raw:
        raw.execute("UPDATE evidence SET content = zeroblob(3)")
    assert run(["store", "verify"]) == 1
    out = capsys.readouterr().out
    assert out.count(": sound") == 6
    assert "what servers answered: NOT SOUND" in out
    assert run(["store", "verify", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["sound"] is False


def test_a_newer_versions_store_is_refused_by_every_command(
    workspace: Workspace, capsys: Told
) -> None:
    with sqlite3.connect(workspace.store_file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = workspace.store_file.read_bytes()
    for words in (["store", "verify"], ["drift", "show"], ["runs", "list"], ["log", "verify"]):
        capsys.readouterr()
        assert run(words) == 2, words
        assert "newer version (revision 9999)" in capsys.readouterr().err
    assert workspace.store_file.read_bytes() == before

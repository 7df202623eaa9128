"""The gate: a server that could not be brought back is not changed, unless somebody says why."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model.backup import Backup, BackupState, Snapshot
from orchestrator.model.drill import Drill, DrillState
from orchestrator.store.repository import Store

from .wishes import BANNER

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def run_name(hours_ago):
    when = datetime.now(UTC) - timedelta(hours=hours_ago)
    return when.strftime("%Y%m%dT%H%M%SZ-000000")


def keep(desk, host, *, backup_hours=None, drill_days=None, passed=True):
    """Keep in the store what a backup and a drill of these ages would have left there."""
    now = datetime.now(UTC)
    with Store.open(desk.directory / ".luytre/store.sqlite") as store:
        if backup_hours is not None:
            started = now - timedelta(hours=backup_hours)
            snapshots = (Snapshot("files", "0" * 8, 1, 1),)
            state = BackupState.COMPLETE
            made = Backup(host, run_name(backup_hours), state, started, started, snapshots)
            store.save_backup(made)
        if drill_days is not None:
            state = DrillState.PASSED if passed else DrillState.FAILED
            started = now - timedelta(days=drill_days)
            store.save_drill(Drill(host, f"{run_name(24 * drill_days)}-0", "s1", state, started))


@pytest.fixture
def asked_for(desk, c1):
    """A desk whose baseline wants something of a server, and whose inventory waives nothing."""
    desk.want(BANNER)
    desk.declare(c1, luytre_backup_waived=None)
    yield desk
    desk.declare(c1)
    desk.ask("rollback", "--yes", "--host", c1)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({}, "no whole backup; its backup was never drilled"),
        ({"backup_hours": 30, "drill_days": 1}, "no whole backup younger than 26 h"),
        ({"backup_hours": 1, "drill_days": 91}, "no drill that passed within 90 days"),
        ({"backup_hours": 1, "drill_days": 1, "passed": False}, "its newest drill failed"),
    ],
)
def test_without_a_young_backup_and_a_drill_that_passed_nothing_is_changed(
    asked_for, yard, c1, kept, words
):
    keep(asked_for, c1, **kept)
    planned = asked_for.ask("plan", "--limit", c1)
    assert f"apply will refuse without a proved backup: {c1}" in planned.err
    refused = asked_for.apply(c1)
    assert refused.code == 6, refused
    reason = refused.host(c1)["reason"]
    assert words in reason
    assert "--without-backup REASON" in reason
    backup, drill = (f"luytre backup {verb} --limit {c1}" for verb in ("run", "drill"))
    assert (backup in reason, drill in reason) == ("backup" in words, "drill" in words)
    assert yard.changes(c1) == []


def test_with_both_it_is_changed_and_nothing_is_said(asked_for, c1):
    keep(asked_for, c1, backup_hours=1, drill_days=1)
    applied = asked_for.apply(c1)
    assert applied.code == 0, applied
    assert "backup" not in applied.document["note"] + applied.err


def test_a_reason_lets_it_through_and_stays_with_the_run(asked_for, c1):
    applied = asked_for.apply(c1, **{"without-backup": "the vault comes tomorrow"})
    assert applied.code == 0, applied
    told = f"without a proved backup: {c1} (the vault comes tomorrow)"
    assert told in applied.document["note"].split("; ")
    run = applied.document["run"]
    assert told in asked_for.ask("runs", "show", run).out


def test_what_the_inventory_waives_is_told_by_the_status_too(asked_for, c1):
    asked_for.declare(c1, luytre_backup_waived="holds no data")
    assert asked_for.apply(c1).code == 0
    status = asked_for.ask("status").document
    assert status["backup_waived"] == {c1: "holds no data"}
    assert "unprotected" not in [one["concern"] for one in status["matters"]]
    asked_for.declare(c1, luytre_backup_waived=None)
    asked_for.ask("audit", "--limit", c1)
    matters = {one["concern"]: one for one in asked_for.ask("status").document["matters"]}
    assert matters["unprotected"]["hosts"] == [c1]
    assert matters["unprotected"]["command"].startswith("luytre backup status")


def test_a_run_that_is_played_by_hand_is_held_back_too(asked_for, c1):
    refused = asked_for.ask("runs", "prepare", "--yes", "--limit", c1)
    assert refused.code == 6, refused
    assert "no whole backup" in refused.out


def test_a_control_is_taken_out_without_a_backup(asked_for, c1):
    asked_for.apply(c1, **{"without-backup": "a trial"})
    back = asked_for.ask("rollback", "--yes", "--limit", c1, "--control", "own-banner")
    assert back.code == 0, back


def test_a_rollback_asks_for_no_backup(asked_for, c1):
    applied = asked_for.apply(c1, **{"without-backup": "a trial"})
    back = asked_for.ask("rollback", "--yes", "--run", applied.document["run"])
    assert back.code == 0, back

"""Backups in the store: every result stays, samples only of the latest ones."""

from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.model.backup import Backup, BackupState, Sampled, Snapshot
from orchestrator.store.backups import SAMPLES_KEPT
from orchestrator.store.repository import Store

WHEN = datetime(2026, 11, 29, 1, 30, tzinfo=UTC)
MADE = Backup(
    "web1",
    "20261129T013000Z-000001",
    BackupState.PARTIAL,
    WHEN,
    WHEN,
    (
        Snapshot("files", "5880c45a", 10, 3),
        Snapshot("postgresql/shop", "f1531798", 7, 7, "ab", "15"),
    ),
    (("files", "/srv is not there"),),
    (Sampled("/etc/motd", "00" * 32, 4),),
    2,
)


def test_a_backup_comes_back_as_it_was_kept(tmp_path):
    with Store.open(tmp_path / "store.sqlite") as store:
        store.save_backup(MADE)
        assert store.backups() == (MADE,)
        assert store.backups(["db1"]) == ()


def test_the_newest_of_every_host_come_first_and_a_run_is_kept_once(tmp_path):
    later = replace(MADE, run="20261130T013000Z-000001", state=BackupState.COMPLETE)
    other = replace(MADE, host="db1")
    with Store.open(tmp_path / "store.sqlite") as store:
        for one in (MADE, other, later, replace(later, changed=0)):
            store.save_backup(one)
        assert [(one.host, one.run) for one in store.backups(each=5)] == [
            ("db1", MADE.run),
            ("web1", later.run),
            ("web1", MADE.run),
        ]
        assert store.backups(["web1"])[0].changed == 0


def test_samples_of_old_backups_are_forgotten_and_nothing_else(tmp_path):
    with Store.open(tmp_path / "store.sqlite") as store:
        for number in range(SAMPLES_KEPT + 2):
            store.save_backup(replace(MADE, run=f"20261129T01{number:02d}00Z-000001"))
        found = store.backups(each=100)
    assert [bool(one.sample) for one in found] == [True] * SAMPLES_KEPT + [False] * 2
    assert found[-1] == replace(MADE, run=found[-1].run, sample=())


def test_a_run_that_nobody_followed_to_its_end_is_still_to_be_fetched(tmp_path):
    lost = Backup("web1", "20261130T013000Z-000002", BackupState.UNREACHABLE)
    with Store.open(tmp_path / "store.sqlite") as store:
        store.save_backup(MADE)
        store.save_backup(lost)
        assert store.backup_runs("web1") == {MADE.run}
        store.save_backup(replace(MADE, run=lost.run))
        assert store.backups(["web1"])[0] == replace(MADE, run=lost.run)
        assert store.backup_runs("web1") == {MADE.run, lost.run}

"""What a vault has no more counts no longer, and its alarms stay until it is asked again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.model.backup import WHOLE, Backup, BackupState, BackupWish, Snapshot
from orchestrator.model.told import Topic
from orchestrator.model.vault_alert import Alarm, VaultAlert, alert_of
from orchestrator.protect.alarms import keep_alarms
from orchestrator.protect.vanished import looked_for, newest_backups, note_vanished
from orchestrator.protect.vault_view import Survey, survey
from orchestrator.store.repository import Store

NOW = datetime(2026, 11, 30, tzinfo=UTC)
FILES, SHOP = Snapshot("files", "1" * 8, 5, 5), Snapshot("postgresql/shop", "2" * 8, 5, 5, "0" * 64)


def wish(host: str) -> BackupWish:
    return BackupWish(host, "vault1", "192.0.2.1", 8022, ("/etc",), (), (), "01:30")


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store.sqlite") as store:
        for host in ("web1", "web2"):
            run, state = "20261129T233009Z-000000", BackupState.COMPLETE
            store.save_backup(Backup(host, run, state, NOW, NOW, (FILES, SHOP)))
        yield store


def test_a_backup_whose_snapshot_is_gone_is_whole_no_more_and_says_why(store):
    wishes = [wish("web1"), wish("web2")]
    known = newest_backups(store, wishes)
    asked = looked_for(wishes, known)
    assert asked == {"vault1": {"web1": [FILES.id, SHOP.id], "web2": [FILES.id, SHOP.id]}}
    said = {"problem": None, "clients": {"web1": calm(lacks=[SHOP.id, "f" * 8]), "web2": calm()}}
    surveys = {"vault1": survey("vault1", said, asked["vault1"])}
    (alert,) = note_vanished(store, wishes, known, surveys)
    assert (alert.client, alert.alert, alert.number) == ("web1", Alarm.VANISHED, 1)
    assert [one.host for one in store.backups(states=WHOLE)] == ["web2"]
    (kept,) = store.backups(["web1"])
    assert kept.state is BackupState.PARTIAL
    assert kept.problems == (
        ("postgresql/shop", "its snapshot 22222222 is not in the vault any more"),
    )
    again = newest_backups(store, wishes)
    assert note_vanished(store, wishes, again, surveys) == [alert]
    assert len(store.backups(["web1"])[0].problems) == 1


def test_a_repository_that_is_gone_is_every_snapshot_gone_and_one_unread_is_none():
    asked = {"web1": [FILES.id], "web2": [FILES.id]}
    unread = {**calm(), "problem": "UpkeepError: wrong password"}
    del unread["lacks"]
    found = survey("vault1", {"problem": None, "clients": {"web2": unread}}, asked)
    assert dict(found.lacks) == {"web1": frozenset([FILES.id])}


def test_what_was_told_of_others_stays_until_they_are_asked(store):
    gone = [VaultAlert("vault1", host, Alarm.VANISHED, "run", 1) for host in ("web1", "web2")]
    both = {"web1": frozenset(), "web2": frozenset()}
    keep_alarms(store, [Survey("vault1", (), both)], gone, {})
    copies = {("copy1", one): [VaultAlert("copy1", one, Alarm.COPY, "x", at=NOW)] for one in "ab"}
    keep_alarms(store, [], [], copies)
    keep_alarms(store, [Survey("vault1", (), {"web1": frozenset()})], [], {("copy1", "a"): []})
    assert kept(store, Topic.VAULT) == [gone[1]]
    assert kept(store, Topic.COPY) == copies["copy1", "b"]


def calm(lacks=()):
    return {"problem": None, "refused": None, "lacks": list(lacks)}


def kept(store, topic):
    return [alert_of(one) for told in store.answers(topic) for one in told.answer["alerts"]]

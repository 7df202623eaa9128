"""An inspector checks the audit log: nothing edited, removed, slipped in or cut off."""

import sqlite3

import pytest

from orchestrator.model.errors import ControllerError
from orchestrator.model.record import LogHead


@pytest.fixture
def heads(store):
    return [store.log.append("an", "apply", {"run": n, "hosts": ["web1"]}) for n in range(1, 6)]


@pytest.fixture
def tamper(tmp_path):
    """Return the hand of someone who has the file and knows SQL."""

    def run(*statements: str) -> None:
        with sqlite3.connect(tmp_path / "luytre.db") as raw:
            for name in ("no_update", "no_delete", "only_append"):
                raw.execute(f"DROP TRIGGER IF EXISTS audit_log_{name}")
            for statement in statements:
                raw.execute(statement)

    return run


def test_an_empty_log_is_sound(store):
    assert store.log.head() == store.log.verify() == LogHead(0, "0" * 64)
    assert store.log.newest() == ()


def test_a_sound_log_verifies_against_every_head_it_ever_had(store, heads):
    assert store.log.verify(heads) == store.log.head() == heads[-1]
    assert [head.seq for head in heads] == [1, 2, 3, 4, 5]
    newest = store.log.newest(2)
    assert [entry.seq for entry in newest] == [5, 4]
    assert newest[0].detail == {"run": 5, "hosts": ["web1"]}
    assert newest[0].previous == newest[1].hash == heads[3].hash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET operator = 'binh' WHERE seq = 3",
        "DELETE FROM audit_log WHERE seq = 5",
        "INSERT OR REPLACE INTO audit_log SELECT seq, at, 'binh', action, detail, previous, hash"
        " FROM audit_log WHERE seq = 3",
        "INSERT INTO audit_log SELECT 9, at, operator, action, detail, previous, 'x'"
        " FROM audit_log WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(store, heads, tmp_path, statement):
    raw = sqlite3.connect(tmp_path / "luytre.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(statement)
    raw.close()
    assert store.log.verify(heads) == heads[-1]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("operator", "binh"),
        ("at", "2026-01-01"),
        ("action", "audit"),
        ("detail", "{}"),
        ("hash", "f" * 64),
    ],
)
@pytest.mark.usefixtures("heads")
def test_an_edited_entry_is_named(store, tamper, column, value):
    tamper(f"UPDATE audit_log SET {column} = '{value}' WHERE seq = 3")
    with pytest.raises(ControllerError, match="entry 3 is not sound: its content was altered"):
        store.log.verify()


@pytest.mark.usefixtures("heads")
def test_a_removed_entry_is_named(store, tamper):
    tamper("DELETE FROM audit_log WHERE seq = 3")
    with pytest.raises(ControllerError, match="entry 3 is not sound: it is missing"):
        store.log.verify()


@pytest.mark.usefixtures("heads")
def test_a_gap_that_was_closed_by_renumbering_is_named(store, tamper):
    tamper(
        "DELETE FROM audit_log WHERE seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE seq = 4",
        "UPDATE audit_log SET seq = 4 WHERE seq = 5",
    )
    with pytest.raises(ControllerError, match="entry 3 is not sound: it does not follow"):
        store.log.verify()


def test_a_cut_tail_is_found_by_a_witness_only(store, heads, tamper):
    tamper("DELETE FROM audit_log WHERE seq > 3")
    store.log.verify(heads[:3])
    with pytest.raises(ControllerError, match=r"entry 4 is not sound: .* are gone"):
        store.log.verify([heads[4]])


def test_a_log_written_anew_from_some_entry_on_is_found_by_a_witness(store, heads, tamper):
    tamper("DELETE FROM audit_log WHERE seq > 3")
    for n in range(4, 9):
        store.log.append("an", "apply", {"run": n, "hosts": []})
    store.log.verify(heads[:3])
    with pytest.raises(ControllerError, match="entry 5 is not sound: a witness saw another"):
        store.log.verify([heads[4]])


def test_witnesses_that_contradict_each_other_prove_a_fork(store, heads):
    with pytest.raises(ControllerError, match="contradict"):
        store.log.verify([heads[2], LogHead(3, "f" * 64)])


def test_an_entry_that_json_cannot_say_is_not_written(store):
    with pytest.raises((TypeError, ValueError)):
        store.log.append("an", "apply", {"seconds": float("nan")})
    assert store.log.head().seq == 0

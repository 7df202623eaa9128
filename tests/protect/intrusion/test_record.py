"""The record of the watch keeps every event once, is bounded, and says what it dropped."""

import pytest

from orchestrator.protect.on_host.watching import record as module
from orchestrator.protect.on_host.watching.logins import Logins
from orchestrator.protect.on_host.watching.record import Record


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STATE", str(tmp_path))
    monkeypatch.setattr(module, "_FILE", str(tmp_path / "record.json"))
    monkeypatch.setattr(module, "MOST_EVENTS", 3)
    return Record()


def test_an_event_is_kept_once_and_found_again(record):
    record.add("ban", 1.0, "a", source="192.0.2.1")
    record.add("ban", 1.0, "a", source="192.0.2.1")
    record.save(watched=True)
    again = Record()
    assert again.birth == record.birth
    assert [one["number"] for one in again.events(0, 10)] == [1]
    assert again.events(1, 10) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"birth": "x"}', "3"])
def test_a_record_that_cannot_be_read_is_put_aside_and_begun_anew(record, tmp_path, text):
    record.save(watched=True)
    (tmp_path / "record.json").write_text(text)
    again = Record()
    assert (again.birth != record.birth, again.last) == (True, 0)
    assert (tmp_path / "record.json.aside").read_text() == text


def test_where_there_is_no_room_what_was_collected_goes_first(record):
    for name in "abc":
        record.add("ban", 1.0, name)
    record.events(2, 10)
    record.add("ban", 1.0, "d")
    assert [one["number"] for one in record.events(0, 10)] == [3, 4]
    assert record.dropped == 0


def test_the_first_events_stay_and_what_was_dropped_is_counted(record):
    for name in "abcde":
        record.add("ban", 1.0, name)
    assert [one["number"] for one in record.events(0, 10)] == [1, 2, 3]
    assert record.dropped == 2


def test_texts_of_others_are_bounded_and_can_be_written(record):
    record.add("sudo_first", 1.0, "\udcff", command="\udcff" * 5000)
    (event,) = record.events(0, 10)
    assert len(event["details"]["command"]) <= 300
    record.save(watched=False)


@pytest.mark.parametrize(
    ("watched", "up", "told"),
    [
        (None, 9000.0, []),
        (9500.0, 9000.0, []),
        (9000.0, 9000.0, ["stopped"]),
        # It was off, and looked as soon as it ran again.
        (2000.0, 60.0, []),
        (2000.0, 700.0, ["stopped"]),
    ],
)
def test_a_pause_is_kept_whoever_begins_the_watch_again(record, watched, up, told):
    record._told["watched"] = watched
    record.note_pause(10000.0, up)
    assert [one["what"] for one in record.events(0, 10)] == told


def test_a_pause_is_told_from_its_beginning_to_its_end(record):
    record._told["watched"] = 1000.0
    record.note_pause(10000.0, 20000.0)
    (event,) = record.events(0, 10)
    assert event["details"] == {"since": "1970-01-01 00:16Z", "until": "1970-01-01 02:46Z"}


def test_many_failures_are_one_event_and_a_login_after_them_another(record, monkeypatch):
    logins = Logins(record, {"sources": ["192.0.2.0/24"], "user": "ops"})
    monkeypatch.setattr(logins, "_learning", False)
    for number in range(20):
        logins._judge(
            {"what": "failed", "user": "ops", "source": "198.51.100.7"}, number, str(number)
        )
    login = {"what": "login", "user": "ops", "source": "198.51.100.7", "method": "password"}
    logins._judge(login, 30.0, "c")
    told = [(one["what"], one["details"]["count"]) for one in record.events(0, 10)]
    assert told == [("login_failures", "5"), ("login_after_failures", "20")]


def test_who_comes_from_a_known_source_is_news_only_once(record, monkeypatch):
    logins = Logins(record, {"sources": ["192.0.2.0/24"], "user": "ops"})
    monkeypatch.setattr(logins, "_learning", False)
    for number in range(3):
        login = {"what": "login", "user": "ann", "source": "192.0.2.5", "method": "publickey"}
        logins._judge(login, number, str(number))
    assert [one["what"] for one in record.events(0, 10)] == ["login_user"]

"""Alerts and answers in the store: an event is kept once, and whoever looked at it is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.model.alert import Alert, AlertKind, document
from orchestrator.model.finding import Severity
from orchestrator.model.told import Topic

AT = datetime(2026, 11, 30, 1, tzinfo=UTC)
FOUND = Alert(
    host="web1",
    identity="clamav:17",
    kind=AlertKind.MALWARE,
    severity=Severity.CRITICAL,
    at=AT,
    source="clamscan",
    summary="Eicar-Test-Signature in /srv/thư mục/x",
    details={"path": "/srv/thư mục/x"},
)
BANNED = replace(FOUND, identity="f2b:1", kind=AlertKind.BAN, at=AT + timedelta(hours=1))


def test_an_event_that_is_told_twice_is_one_alert(store):
    assert store.save_alerts("web1", [FOUND, BANNED]) == (FOUND, BANNED)
    later = replace(FOUND, identity="clamav:18")
    assert store.save_alerts("web1", [FOUND, later]) == (later,)
    same_elsewhere = replace(FOUND, host="web2")
    assert store.save_alerts("web2", [same_elsewhere]) == (same_elsewhere,)
    assert [kept.alert for kept in store.alerts(["web1"])] == [BANNED, later, FOUND]
    assert store.alerts(kinds={AlertKind.BAN})[0].alert == BANNED
    assert len(store.alerts(limit=2)) == 2


def test_what_was_looked_at_is_not_open_any_more_and_says_who_did(store):
    store.save_alerts("web1", [FOUND, BANNED])
    newest = store.alerts(only_open=True)[0]
    assert newest.open
    assert store.mark_seen([newest.number, 999], "an", "our own scanner") == (newest.number,)
    assert store.mark_seen([newest.number], "binh", "mine") == ()
    assert [kept.alert for kept in store.alerts(only_open=True)] == [FOUND]
    seen = store.alerts(kinds={AlertKind.BAN})[0]
    assert not seen.open
    told = document(seen)
    assert (told["seen_by"], told["remark"], told["kind"]) == ("an", "our own scanner", "ban")


def test_an_alert_told_again_after_it_was_seen_stays_seen(store):
    store.save_alerts("web1", [FOUND])
    store.mark_seen([store.alerts()[0].number], "an", "")
    assert store.save_alerts("web1", [FOUND]) == ()
    assert store.alerts(only_open=True) == ()


def test_only_the_newest_answer_about_a_topic_is_kept(store):
    store.save_answer("web1", Topic.PATCHES, {"pending": ["openssl"]})
    store.save_answer("web1", Topic.ANTIVIRUS, {"version": "1.0.7"})
    store.save_answer("web2", Topic.PATCHES, {"pending": []})
    store.save_answer("web1", Topic.PATCHES, {"pending": []})
    told = store.answers(Topic.PATCHES)
    assert [(one.host, dict(one.answer)) for one in told] == [
        ("web1", {"pending": []}),
        ("web2", {"pending": []}),
    ]
    assert store.answers(Topic.ANTIVIRUS, ["web2"]) == ()

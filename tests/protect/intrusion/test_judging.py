"""What a host does not say is told as well; what our own runs changed is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.watch import FileChange, Integrity, Keeper, Lack, Watch
from orchestrator.protect.intrusion import judging
from orchestrator.protect.intrusion.databases import Accepted

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
RUN = "20261130T073000Z-000001"
ACCEPTED = Accepted("c" * 64, NOW - timedelta(hours=1), "An", "new", delivered="c" * 64)
HOST = ManagedHost(
    "web1", Endpoint("web1", "192.0.2.7"), variables={"luytre_bastions": ["192.0.2.0/28"]}
)
FILE = FileChange("/usr/bin/who", "changed", "content", "e" * 16)
WATCH = Watch(
    host="web1",
    birth="a" * 32,
    at=NOW,
    last=7,
    dropped=0,
    events=(),
    problems=(),
    fail2ban="running",
    ignored=("127.0.0.0/8", "::1", "192.0.2.0/24"),
    banned=0,
    integrity=Integrity("c" * 64, NOW - timedelta(hours=2), "c" * 64),
)
OWN = Keeper("1" * 32, "An, desk")
KNOWN = {"birth": "a" * 32, "last": 7, "dropped": 0}


def whats(sightings):
    return [one.what for one in sightings]


@pytest.mark.parametrize(
    ("watch", "before", "told"),
    [
        (WATCH, KNOWN, []),
        (WATCH, {}, []),
        (replace(WATCH, birth="b" * 32), KNOWN, ["anew"]),
        (replace(WATCH, last=3), KNOWN, ["anew"]),
        (replace(WATCH, dropped=4), KNOWN, ["dropped"]),
        (replace(WATCH, dropped=4), {**KNOWN, "dropped": 4}, []),
        (replace(WATCH, missing=2), KNOWN, ["gap"]),
    ],
)
def test_silence_is_told(watch, before, told):
    assert whats(judging.silences([watch], before)) == told


def test_events_that_are_missing_are_counted_over_all_answers():
    heard = [replace(WATCH, missing=2), replace(WATCH, missing=1, last=9)]
    (gap,) = judging.silences(heard, KNOWN)
    assert (gap.what, gap.details) == ("gap", {"count": "3"})


def with_file(change=FILE, **more):
    found = replace(WATCH.integrity, changes=(change,), total=1, **more)
    return replace(WATCH, integrity=found)


def test_a_changed_file_is_told_unless_a_run_of_ours_left_it_so():
    ours = replace(FILE, path="/usr/bin/ls", run=RUN)
    (told,) = judging.differences([ours, FILE], NOW, ACCEPTED)
    assert (told.what, told.details["path"]) == ("file_changed", "/usr/bin/who")


def test_another_database_than_was_given_is_told():
    assert whats(judging.of_database(with_file(database="0" * 64), ACCEPTED)) == ["database"]
    assert whats(judging.of_database(with_file(), ACCEPTED)) == []


def test_a_database_that_was_not_taken_yet_is_nobodys_work():
    before = replace(ACCEPTED, digest="d" * 64)
    assert whats(judging.of_database(WATCH, before)) == []
    assert list(judging.lacks(WATCH, HOST, before, OWN)) == [Lack.NOT_TAKEN]
    never = replace(before, delivered="")
    none = replace(WATCH, integrity=Integrity(""))
    assert list(judging.lacks(none, HOST, never, OWN)) == [Lack.NOT_TAKEN]
    # It had taken one, and has none any more.
    assert list(judging.lacks(none, HOST, before, OWN)) == [Lack.DATABASE]


def test_the_database_of_another_workspace_is_told_and_left_there():
    for keeper, lack in ((OWN, Lack.DATABASE), (Keeper("2" * 32, "Bình"), Lack.OTHER_KEEPER)):
        other = with_file(database="0" * 64, keeper=keeper)
        assert list(judging.lacks(other, HOST, ACCEPTED, OWN)) == [lack]
        # Whoever broke in may say so as well.
        assert whats(judging.of_database(other, ACCEPTED)) == ["database"]


def test_the_comparison_of_another_database_counts_for_nothing():
    assert judging.counts(WATCH.integrity, ACCEPTED)
    assert not judging.counts(replace(WATCH.integrity, database="0" * 64), ACCEPTED)
    assert not judging.counts(replace(WATCH.integrity, compared="0" * 64), ACCEPTED)
    assert not judging.counts(WATCH.integrity, None)


def test_of_very_many_files_the_rest_is_counted():
    many = [replace(FILE, path=f"/usr/bin/x{number}") for number in range(5000)]
    seen = list(judging.differences(many, NOW, ACCEPTED))
    assert (len(seen), seen[-1].what, seen[-1].details) == (501, "files", {"count": "4500"})
    # However many ours are, they are ours.
    assert not list(judging.differences([replace(one, run=RUN) for one in many], NOW, ACCEPTED))


@pytest.mark.parametrize(
    ("watch", "accepted", "lack"),
    [
        (WATCH, ACCEPTED, None),
        (replace(WATCH, problems=("journal: no",)), ACCEPTED, Lack.PROBLEM),
        (replace(WATCH, fail2ban="stopped"), ACCEPTED, Lack.NO_FAIL2BAN),
        (replace(WATCH, ignored=("127.0.0.0/8", "bastion.example")), ACCEPTED, Lack.BASTION),
        (replace(WATCH, ignored=("192.0.2.0/30",)), ACCEPTED, Lack.BASTION),
        (replace(WATCH, came="192.0.2.3"), ACCEPTED, None),
        # It comes from where nobody declared, a NAT gateway perhaps.
        (replace(WATCH, came="198.51.100.1"), ACCEPTED, Lack.BASTION),
        (WATCH, None, Lack.NO_DATABASE),
        (with_file(database="0" * 64), ACCEPTED, Lack.DATABASE),
        (with_file(problem="aide: no"), ACCEPTED, Lack.NOT_COMPARED),
        (with_file(looked=NOW - timedelta(days=3)), ACCEPTED, Lack.NOT_COMPARED),
    ],
)
def test_what_is_wanting_of_a_watch_is_told(watch, accepted, lack):
    assert list(judging.lacks(watch, HOST, accepted, OWN)) == ([lack] if lack else [])

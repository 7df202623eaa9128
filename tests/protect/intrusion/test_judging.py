"""What a host does not say is told as well; what our own runs changed is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.watch import FileChange, Integrity, Lack, Watch
from orchestrator.protect.intrusion import judging
from orchestrator.protect.intrusion.databases import Accepted

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
RUN = "20261130T073000Z-000001"
ACCEPTED = Accepted("c" * 64, NOW - timedelta(hours=1), "An", "new")
HOST = ManagedHost(
    "web1", Endpoint("web1", "192.0.2.7"), variables={"luytre_bastions": ["192.0.2.0/28"]}
)
FILE = FileChange("/usr/bin/who", "changed", "content", "e" * 16)
WATCH = Watch(
    host="web1",
    birth="a" * 32,
    at=NOW,
    before=NOW - timedelta(minutes=1),
    up=NOW - timedelta(days=3),
    last=7,
    dropped=0,
    events=(),
    problems=(),
    fail2ban="running",
    ignored=("127.0.0.0/8", "::1", "192.0.2.0/24"),
    banned=0,
    integrity=Integrity("c" * 64, NOW - timedelta(hours=2), "c" * 64),
)
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
        (replace(WATCH, before=NOW - timedelta(minutes=11)), KNOWN, ["stopped"]),
        # It was off, and looked as soon as it ran again.
        (
            replace(WATCH, before=NOW - timedelta(days=1), up=NOW - timedelta(minutes=2)),
            KNOWN,
            [],
        ),
        (replace(WATCH, dropped=4), KNOWN, ["dropped"]),
        (replace(WATCH, dropped=4), {**KNOWN, "dropped": 4}, []),
    ],
)
def test_silence_is_told(watch, before, told):
    assert whats(judging.silences(watch, before)) == told


def with_file(change=FILE, **more):
    found = replace(WATCH.integrity, changes=(change,), total=1, **more)
    return replace(WATCH, integrity=found)


def test_a_changed_file_is_told_unless_a_recorded_run_changed_it():
    ours = replace(FILE, run=RUN)
    assert whats(judging.of_files(with_file(), ACCEPTED, lambda _run: False)) == ["file_changed"]
    assert whats(judging.of_files(with_file(ours), ACCEPTED, lambda run: run == RUN)) == []
    # The host names a run that the controller does not know of.
    assert whats(judging.of_files(with_file(ours), ACCEPTED, lambda _run: False)) == [
        "file_changed"
    ]


def test_a_run_before_the_database_was_accepted_explains_nothing():
    older = replace(FILE, run="20261130T065959Z-000001")
    assert whats(judging.of_files(with_file(older), ACCEPTED, lambda _run: True)) == [
        "file_changed"
    ]


def test_only_where_every_file_is_explained_the_runs_are_taken_over():
    ours = replace(FILE, run=RUN)
    assert judging.all_explained(with_file(ours), ACCEPTED, lambda run: run == RUN) == RUN
    assert judging.all_explained(with_file(), ACCEPTED, lambda run: run == RUN) == ""
    more = replace(with_file(ours).integrity, total=600)
    assert judging.all_explained(replace(WATCH, integrity=more), ACCEPTED, lambda _r: True) == ""


def test_a_replaced_database_is_told_and_its_comparison_counts_for_nothing():
    other = with_file(database="0" * 64)
    assert whats(judging.of_files(other, ACCEPTED, lambda _run: False)) == ["database"]
    older = with_file(compared="0" * 64)
    assert whats(judging.of_files(older, ACCEPTED, lambda _run: False)) == []


def test_more_files_than_are_named_are_counted():
    many = replace(with_file().integrity, total=600)
    seen = list(judging.of_files(replace(WATCH, integrity=many), ACCEPTED, lambda _run: False))
    assert whats(seen) == ["file_changed", "files"]
    assert seen[1].details == {"count": "599"}


@pytest.mark.parametrize(
    ("watch", "accepted", "lack"),
    [
        (WATCH, ACCEPTED, None),
        (replace(WATCH, problems=("journal: no",)), ACCEPTED, Lack.PROBLEM),
        (replace(WATCH, fail2ban="stopped"), ACCEPTED, Lack.NO_FAIL2BAN),
        (replace(WATCH, ignored=("127.0.0.0/8", "bastion.example")), ACCEPTED, Lack.BASTION),
        (replace(WATCH, ignored=("192.0.2.0/30",)), ACCEPTED, Lack.BASTION),
        (WATCH, None, Lack.NO_DATABASE),
        (with_file(database="0" * 64), ACCEPTED, Lack.DATABASE),
        (with_file(problem="aide: no"), ACCEPTED, Lack.NOT_COMPARED),
        (with_file(looked=NOW - timedelta(days=3)), ACCEPTED, Lack.NOT_COMPARED),
    ],
)
def test_what_is_wanting_of_a_watch_is_told(watch, accepted, lack):
    assert list(judging.lacks(watch, HOST, accepted)) == ([lack] if lack else [])

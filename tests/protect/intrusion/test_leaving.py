"""A changed file is one of ours where it stands as a run of ours left it, and nowhere else."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestrator.model.errors import AgentError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.watch import SET_UP, FileChange
from orchestrator.protect.intrusion import leaving
from orchestrator.protect.intrusion.leaving import Leaving, Left, LeftFile, left_of
from orchestrator.protect.on_host.watching.entries import GONE
from orchestrator.protect.written import Written
from orchestrator.store.repository import Store

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = "20261129T080000Z-000001", "20261130T080000Z-000001"
OF_OLD, OF_NEW, EVIL = "a" * 32, "b" * 32, "e" * 32
SSHD = "/usr/sbin/sshd"
LEFT = (
    Left()
    .with_run(OLD, NOON - 28 * HOUR, {SSHD: OF_OLD})
    .with_run(NEW, NOON - 4 * HOUR, {SSHD: OF_NEW, "/usr/bin/gone": GONE, "/etc/x y": OF_NEW})
)


def run_of(path, state, looked=NOON, left=LEFT):
    change = FileChange(path, "changed", "content", state)
    (found,) = left.attributed([change], looked)
    return found.run


def test_a_file_as_a_run_left_it_is_that_runs():
    assert run_of(SSHD, OF_NEW) == NEW
    assert run_of("/usr/bin/gone", GONE) == NEW
    assert run_of("/etc/x%20y", OF_NEW) == NEW


def test_what_was_done_to_the_same_file_afterwards_is_no_runs():
    assert run_of(SSHD, EVIL) == ""
    assert run_of("/usr/bin/other", OF_NEW) == ""
    # The version before, with its hole, was a run's too: not any more.
    assert run_of(SSHD, OF_OLD) == ""


def test_a_look_before_a_run_saw_what_the_run_before_had_left():
    assert run_of(SSHD, OF_OLD, looked=NOON - 5 * HOUR) == OLD
    # It began before the run ended, and may have seen either.
    assert run_of(SSHD, OF_NEW, looked=NOON - 5 * HOUR) == NEW


def test_what_an_accepted_look_has_seen_explains_nothing_more():
    rest = LEFT.since(NOON - 5 * HOUR)
    assert run_of(SSHD, OF_OLD, NOON - 5 * HOUR, rest) == ""
    assert run_of(SSHD, OF_NEW, left=rest) == NEW
    assert LEFT.since(NOON).files == {}


HOSTS = [ManagedHost(name, Endpoint(name, "192.0.2.1")) for name in ("web1", "web2", "new")]
SCAN = "/etc/luytre-antivirus/scan.json"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


def note(store, monkeypatch, written, say):
    """Ask the hosts of which a database was accepted, all but ``new``; return which were lost."""
    monkeypatch.setattr(leaving, "ask", say)
    fleet = SimpleNamespace(concurrency=1, login=nullcontext)
    databases = SimpleNamespace(accepted=lambda: {"web1": None, "web2": None})
    return Leaving(fleet, store, databases).note_written(HOSTS, written)


def test_servers_are_asked_for_what_was_written_on_them_and_no_others(store, monkeypatch):
    written, asked = Written(), {}
    for name in ("web1", "new"):
        written.add(name, {"wrote": {SCAN: {"sort": "file"}}, "units": ["scan.timer"]})
    written.began -= HOUR

    def say(login, verb, *, stdin, **_more):
        asked[login.name] = (verb, stdin)
        return {"at": NOON.timestamp(), "files": {SCAN: OF_NEW}}

    assert note(store, monkeypatch, written, say) == {}
    ((name, (verb, stdin)),) = asked.items()
    assert (name, verb) == ("web1", "written")
    assert stdin.pop("age") == pytest.approx(3600, abs=60)
    assert stdin == written.on("web1")
    left = left_of(store, ["web1", "web2"])
    assert {name: one.files for name, one in left.items()} == {
        "web1": {SCAN: (LeftFile(OF_NEW, SET_UP, NOON),)}
    }


def test_a_server_that_does_not_say_how_it_was_left_has_nothing_explained(store, monkeypatch):
    written = Written()
    written.add("web1", {"wrote": {SCAN: {}}})

    def say(_login, *_words, **_more):
        raise AgentError("web1", "it is too slow")

    assert [*note(store, monkeypatch, written, say)] == ["web1"]
    assert left_of(store, ["web1"]) == {}

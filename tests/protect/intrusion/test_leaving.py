"""A changed file is one of ours where it stands as a run of ours left it, and nowhere else."""

from datetime import UTC, datetime, timedelta

from orchestrator.model.watch import FileChange
from orchestrator.protect.intrusion.leaving import Left
from orchestrator.protect.on_host.watching.entries import GONE

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

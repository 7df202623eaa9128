"""A connection that drops in the middle of an apply: the host goes on, and its end is told."""

from contextlib import contextmanager

import pytest

from . import tree
from .desk import APPLY, ended, until
from .stage import Gate, setting_up
from .wishes import BANNER, GRACE, content, control

pytestmark = pytest.mark.lab

GATED = control("own-gate", content("/etc/own-gate", reload=[Gate.unit]))
SLOW = control("own-slow", {"package": {"name": "tiny-slow", "state": "installed"}})
NO_TINY = control("own-tiny", {"package": {"name": "tiny", "state": "absent"}})
_SSH = "sport = :22"
# Others' table, and so one that a run leaves alone.
_DEAF = """\
table inet own-deaf {
	chain input {
		type filter hook input priority -10; policy accept;
		tcp dport 22 drop
	}
}
"""


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def cut(yard, host):
    """Cut every connection to SSH of a host, as a firewall on the way does that forgets them."""
    yard.lab.run(host, ["ss", "-K", "state", "established", *_SSH.split()])


@contextmanager
def deaf(yard, host):
    """Let a host hear nothing of SSH for a while, not even that a connection ends."""
    yard.lab.run(host, ["nft", "-f", "-"], stdin=_DEAF.encode())
    try:
        yield
    finally:
        yard.lab.run(host, ["nft", "delete", "table", "inet", "own-deaf"])


def test_fault_07_a_change_whose_connection_is_cut_goes_on_and_is_confirmed(desk, yard, c1, gate):
    desk.want(BANNER, GRACE, GATED)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        cut(yard, c1)
        gate.open()
        applied = ended(applying)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert sorted(applied.host(c1)["changed"]) == ["own-banner", "own-gate", "own-grace"]
    assert state(yard, c1) == "confirmed"
    shown = desk.ask("runs", "show", applied.document["run"])
    assert shown.host(c1)["outcome"] == "confirmed"
    assert desk.ask("audit", "--limit", c1).code == 0
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_07_a_host_that_hears_nothing_until_its_time_is_over_takes_itself_back_and_says_so(
    desk, yard, c1, gate
):
    desk.settle(confirm_window=10)
    desk.want(BANNER, GRACE, GATED)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        with deaf(yard, c1):
            cut(yard, c1)
            gate.open()
            until(lambda: state(yard, c1) == "rolled_back", "it takes itself back")
        applied = ended(applying)
    assert applied.code == 5, applied
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert "took itself back" in applied.host(c1)["reason"]
    shown = desk.ask("runs", "show", applied.document["run"])
    assert shown.host(c1)["outcome"] == "rolled_back"


def test_fault_07_a_silence_that_passes_within_the_window_is_lived_through(desk, yard, c1, gate):
    desk.want(BANNER, GATED)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        with deaf(yard, c1):
            gate.open()
            until(lambda: state(yard, c1) == "converged", "it converges unheard")
            assert applying.poll() is None
        applied = ended(applying)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_07_a_connection_cut_while_apt_works_leaves_no_package_and_no_lock(desk, yard, c1):
    desk.want(BANNER, SLOW)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: setting_up(yard.lab, c1, "tiny-slow"), "dpkg sets the package up")
        cut(yard, c1)
        applied = ended(applying)
    assert applied.code == 5, applied
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert yard.changes(c1) == []
    again = desk.apply(c1, control="own-banner")
    assert again.code == 0, again
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


@pytest.fixture
def tiny(yard, c1):
    """The package tiny on c1, whose removal takes a moment."""
    yard.lab.run(c1, ["apt-get", "-qy", "install", "tiny=1.0"])
    script = b"#!/bin/sh\ntouch /run/own-removing\nsleep 4\n"
    yard.lab.write(c1, "/var/lib/dpkg/info/tiny.prerm", script, 0o755)
    yield "tiny"
    yard.lab.run(c1, ["sh", "-c", "rm -f /run/own-removing /var/lib/dpkg/info/tiny.prerm"])
    yard.lab.run(c1, ["apt-get", "-qy", "purge", "tiny"])


def test_fault_07_a_connection_cut_before_the_removals_is_told_and_frees_the_host(
    desk, yard, gate, tiny
):
    c1 = "c1"  # the gate's
    desk.want(BANNER, GATED, NO_TINY)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        cut(yard, c1)
        gate.open()
        applied = ended(applying)
    assert applied.code == 1, applied
    assert applied.host(c1)["outcome"] == "failed"
    assert "before its packages were removed" in applied.host(c1)["reason"]
    assert yard.lab.run(c1, ["dpkg", "-s", tiny]).returncode == 0
    again = desk.apply(c1)
    assert again.code == 0, again
    assert again.host(c1)["changed"] == ["own-tiny"]
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_07_a_connection_cut_while_a_package_is_removed_frees_the_host_once_apt_is_done(
    desk, yard, c1, tiny
):
    desk.want(BANNER, NO_TINY)
    removing = ["test", "-e", "/run/own-removing"]
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: yard.lab.run(c1, removing, check=False).returncode == 0, "it is removed")
        cut(yard, c1)
        applied = ended(applying)
    assert applied.code == 1, applied
    assert applied.host(c1)["reason"].startswith("remove packages: ")
    assert desk.ask("audit", "--limit", c1).code == 0
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert yard.lab.run(c1, ["dpkg", "-s", tiny]).returncode == 0

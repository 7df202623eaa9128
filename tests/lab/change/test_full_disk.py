"""The controller's disk is full: nothing is begun, what was begun comes to a known end."""

import subprocess
from contextlib import contextmanager

import pytest

from . import tree
from .desk import APPLY, Desk, ended, until
from .stage import Gate
from .wishes import BANNER, GRACE, TRAP, content, control

pytestmark = pytest.mark.lab

GATED = control("own-gate", content("/etc/own-gate", reload=[Gate.unit]))


class SmallDisk:
    """A file system of its own for the state of a workspace."""

    def __init__(self, place):
        self.place = place
        self._ballast = place / "ballast"

    def fill(self):
        """Leave not one byte free."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self):
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(place):
    options = ["-o", "size=4m,mode=0700", "-t", "tmpfs", "own-disk"]
    subprocess.run(["mount", *options, place], check=True)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def disk(tmp_path):
    """The disk of the workspace's state."""
    place = tmp_path / "desk" / ".luytre"
    place.mkdir(mode=0o700, parents=True)
    with small_disk(place) as made:
        yield made


@pytest.fixture
def desk(yard, disk, tmp_path):
    """A workspace over the lab, whose state lies on the small disk."""
    assert disk.place.is_mount()
    return Desk(tmp_path / "desk", yard.lab)


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def plainly_told(done, words="its disk is full"):
    """Check that a command ended with a plain message about the disk."""
    assert done.code == 1, done
    assert words in done.err
    assert "Traceback" not in done.out + done.err
    assert "unexpected" not in done.err


def everything_works(desk, host):
    assert desk.luytre("log", "verify").code == 0
    assert desk.luytre("store", "verify").code == 0
    applied = desk.apply(host)
    assert applied.code == 0, applied
    assert applied.host(host)["outcome"] == "confirmed"
    assert desk.ask("rollback", "--yes", "--host", host).code == 0
    assert desk.luytre("log", "verify").code == 0


def test_fault_21_on_a_full_disk_nothing_is_begun_and_with_room_everything_works(
    desk, disk, yard, c1
):
    desk.want(BANNER, GRACE)
    assert desk.ask("audit", "--limit", c1).code == 3
    disk.fill()
    for command in (("audit",), APPLY):
        plainly_told(desk.luytre(*command, "--limit", c1))
    assert yard.changes(c1) == []
    disk.make_room()
    everything_works(desk, c1)


def test_fault_21_a_disk_that_fills_up_while_a_host_is_armed_stops_the_run_and_takes_it_back(
    desk, disk, yard, gate, c2
):
    c1 = "c1"  # the gate's; to c2 the run never comes
    desk.settle(confirm_window=600)
    desk.want(BANNER, GRACE, GATED)
    waves = ("--limit", f"{c1},{c2}", "--canary", "1")
    with desk.started(*APPLY, *waves, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        disk.fill()
        gate.open()
        applied = ended(applying)
    plainly_told(applied)
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert applied.host(c2)["outcome"] == "not_started"
    assert state(yard, c1) == "rolled_back"
    assert yard.changes(c2) == []
    disk.make_room()
    assert desk.luytre("log", "verify").code == 0
    run = applied.document["run"]
    desk.want(BANNER, GRACE)  # c2 has no gate
    resumed = desk.ask("runs", "resume", run, "--yes")
    assert resumed.code == 0, resumed
    shown = desk.ask("runs", "show", run)
    assert shown.document["status"] == "interrupted"
    assert shown.host(c1)["outcome"] == "rolled_back"
    assert shown.host(c2)["outcome"] == "not_started"
    assert desk.ask("rollback", "--yes", "--run", resumed.document["run"]).code == 0
    everything_works(desk, c1)


def test_fault_21_a_disk_that_fills_up_before_the_end_is_written_hides_no_outcome(
    desk, disk, yard, c1
):
    desk.settle(confirm_window=10)
    desk.want(BANNER, TRAP)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "converged", "converged")
        until(lambda: state(yard, c1) == "rolled_back", "taken back by itself")
        disk.fill()
        applied = ended(applying)
    plainly_told(applied)
    assert applied.host(c1)["outcome"] == "rolled_back"
    disk.make_room()
    run = applied.document["run"]
    resumed = desk.ask("runs", "resume", run, "--yes", "--accept-impact", "all")
    assert resumed.code == 5, resumed
    assert desk.ask("runs", "show", run).host(c1)["outcome"] == "rolled_back"
    desk.want(BANNER, GRACE)
    everything_works(desk, c1)


def test_fault_21_a_rollback_during_which_the_disk_fills_up_hides_no_outcome(
    desk, disk, yard, gate, c2
):
    c1 = "c1"  # the gate's
    gate.open()
    desk.want(BANNER, GRACE)
    other = desk.apply(c2)
    assert other.code == 0, other
    desk.want(BANNER, GRACE, GATED)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    gate.shut()
    words = ("rollback", "--yes", "--host", f"{c1},{c2}", "--output", "json")
    with desk.started(*words) as taking:
        until(lambda: state(yard, c1) == "rolling_back", "on its way back")
        until(lambda: state(yard, c2) == "rolled_back", "back")
        disk.fill()
        gate.open()
        taken = ended(taking)
    plainly_told(taken)
    for host in (c1, c2):
        assert taken.host(host)["outcome"] == "rolled_back"
        assert state(yard, host) == "rolled_back"
    disk.make_room()
    assert desk.ask("runs", "show", taken.document["run"]).document["status"] == "interrupted"
    desk.want(BANNER, GRACE)
    everything_works(desk, c1)


def test_fault_21_a_full_place_of_temporary_files_stops_the_run_and_takes_the_host_back(
    desk, yard, gate, scratch
):
    c1 = "c1"  # the gate's
    desk.settle(confirm_window=600)
    desk.want(BANNER, GRACE, GATED)
    with small_disk(scratch) as temporary:
        with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
            until(lambda: state(yard, c1) == "armed", "armed")
            temporary.fill()
            gate.open()
            applied = ended(applying)
        temporary.make_room()
        assert list(scratch.iterdir()) == []
    plainly_told(applied, "No space left on device")
    assert applied.host(c1)["outcome"] == "rolled_back"
    run = applied.document["run"]
    assert desk.ask("runs", "show", run).host(c1)["outcome"] == "rolled_back"
    everything_works(desk, c1)

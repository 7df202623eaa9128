"""A host's clock that is set while a change waits: what was begun goes by a clock nobody sets.

A container shares the machine's clock, and that is left alone. Here Python on the host, and so the
whole agent, is told another time; that its timer goes by no such clock, systemd says itself.
"""

import signal

import pytest

from . import tree
from .desk import APPLY, Desk, ended, until
from .stage import Gate
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab

GATED = control("own-gate", content("/etc/own-gate", reload=[Gate.unit]))
PYTHON = "/usr/bin/python3"
_JUMP = "/run/own-jump"
# Takes the command lines by which we and Ansible start Python.
_STAND_IN = f"""\
#!/usr/bin/python3.11 -IS
import sys, time
sys.executable = "{PYTHON}"
true = time.time
time.time = lambda: true() + float(open("{_JUMP}").read())
words = sys.argv[1:]
while words and words[0] in ("-I", "-S", "-X", "utf8"):
    del words[0]
if words[:1] == ["-c"]:
    sys.argv = ["-c", *words[2:]]
    exec(compile(words[1], "<string>", "exec"), {{"__name__": "__main__"}})
elif words:
    import runpy
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")
else:
    sys.path += ["/usr/lib/python3/dist-packages"]
    sys.argv = [""]
    exec(compile(sys.stdin.read(), "<stdin>", "exec"), {{"__name__": "__main__"}})
"""


def record(yard, host):
    return tree.record(yard.lab, host)


@pytest.fixture
def clock(yard, c1):
    """What sets the clock of a host by so many seconds, forth or back."""

    def jump(seconds):
        yard.lab.write(c1, _JUMP, str(seconds).encode())

    jump(0)
    yard.lab.run(c1, ["mv", PYTHON, PYTHON + ".true"])
    yard.lab.write(c1, PYTHON, _STAND_IN.encode(), 0o755)
    yield jump
    yard.lab.run(c1, ["mv", PYTHON + ".true", PYTHON])
    yard.lab.run(c1, ["rm", _JUMP])


def timers(yard, run):
    """Return the settings of the timers of a run that wait."""
    shown = ["systemctl", "show", "-p", "TimersMonotonic,TimersCalendar", f"luytre-revert-{run}-*"]
    told = yard.lab.run("c1", shown).stdout.decode().splitlines()
    return [line for line in told if line.startswith("Timers")]


def ways_back(yard, run):
    """Return the units that took a run back, as systemd tells of their starts."""
    yard.lab.run("c1", ["journalctl", "--sync"])
    told = yard.lab.run("c1", ["journalctl", "-q", "-o", "cat", "-t", "systemd"]).stdout.decode()
    head = f"luytre-revert-{run}-"
    return [line for line in told.splitlines() if head in line and ".service -" in line]


@pytest.mark.parametrize("jump", [3600, -3600], ids=["forth", "back"])
def test_fault_15_after_a_jump_of_the_clock_the_timer_fires_once(desk, yard, gate, clock, jump):
    desk.settle(confirm_window=10)
    desk.want(BANNER, GATED)
    with desk.started(*APPLY, "--limit", "c1") as applying:
        until(lambda: record(yard, "c1").get("state") == "armed", "armed")
        applying.send_signal(signal.SIGKILL)
    clock(jump)
    run = record(yard, "c1")["run"]
    before = timers(yard, run)
    gate.open()
    until(lambda: record(yard, "c1").get("state") == "converged", "it converges")
    told = [*before, *timers(yard, run)]
    assert all("OnActiveUSec" in line for line in told)
    assert len(told) >= 2
    until(lambda: record(yard, "c1").get("state") == "rolled_back", "its timer takes it back")
    until(lambda: not tree.leftovers(yard.lab, "c1"), "nothing is left")
    (only,) = [line for line in ways_back(yard, run) if line.startswith("Started")]
    assert only.startswith(f"Started luytre-revert-{run}-2.service")


@pytest.mark.parametrize("jump", [3600, -3600], ids=["forth", "back"])
def test_fault_15_after_a_jump_of_the_clock_a_run_belongs_to_its_operator_and_is_confirmed(
    desk, yard, gate, clock, jump, tmp_path
):
    desk.want(BANNER, GATED)
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    with desk.started(*APPLY, "--limit", "c1", "--output", "json") as applying:
        until(lambda: record(yard, "c1").get("state") == "armed", "armed")
        clock(jump)
        refused = other.ask("rollback", "--yes", "--host", "c1")
        gate.open()
        applied = ended(applying)
    clock(0)
    assert refused.code == 6, refused
    assert "Trần Thị Bình" in refused.host("c1")["reason"]
    assert applied.code == 0, applied
    assert applied.host("c1")["outcome"] == "confirmed"
    assert ways_back(yard, applied.document["run"]) == []
    assert desk.ask("rollback", "--yes", "--host", "c1").code == 0

"""A host that says confirmed, and could not make that permanent, is no success whoever asks it."""

import signal

import pytest

from orchestrator.drift.scope import reach
from orchestrator.fleet.agent import ask
from orchestrator.workspace.directory import load

from . import tree
from .desk import APPLY, until
from .test_by_hand import places, play, prepare, terminal, whole
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab

__all__ = ["terminal"]

FIREWALL = ("--chapter", "firewall")
# Where the table that is loaded at boot is to be written; nothing is, over a directory.
TABLE = "/etc/luytre/firewall.nft"
LOST = "confirmed, but not kept over a reboot: firewall-default-drop"


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def operation(desk, host, run, name):
    """Let the host do what a controller would ask of it; return what it answers."""
    fleet, (managed,) = reach(load(desk.directory), host)
    with fleet.login(managed) as login:
        return ask(login, {"operation": name, "run": run}).result


def test_a_host_that_cannot_settle_is_a_failure_with_its_reason(desk, yard, c1, terminal):
    desk.want(BANNER)
    # Long enough for a resume on a busy machine; so long is waited for it to settle.
    told = prepare(desk, "--limit", c1, "--window", "20")
    run = told["run"]
    assert whole(play(terminal, told))[0] == 0
    # More than the agent reads of a file: what the run made of it cannot be written down.
    yard.lab.run(c1, ["truncate", "-s", "9M", "/etc/issue.net"])
    resumed = desk.ask("runs", "resume", run)
    assert tree.record(yard.lab, c1)["settling"]
    assert resumed.code == 1, resumed
    assert resumed.host(c1)["outcome"] == "failed"
    reason = resumed.host(c1)["reason"]
    assert "confirmed, but not made permanent yet, so the host stays held" in reason
    assert "/etc/issue.net" in reason
    yard.lab.write(c1, "/etc/issue.net", b"ours\n")
    assert desk.ask("rollback", "--yes", "--run", run).code == 0
    # Its timer may have fired just before: what that started finds nothing to do, and ends.
    until(lambda: not timed(yard, c1), "nothing of its timer runs")


def timed(yard, host):
    units = ["systemctl", "list-units", "--plain", "--no-legend", "luytre-revert-*"]
    return yard.lab.run(host, units).stdout


def test_a_host_that_stays_held_can_be_resumed_once_it_settles(desk, yard, c1, terminal):
    desk.want(BANNER)
    told = prepare(desk, "--limit", c1)
    run = told["run"]
    assert whole(play(terminal, told))[0] == 0
    yard.lab.run(c1, ["truncate", "-s", "9M", "/etc/issue.net"])
    with pytest.raises(Exception, match=r"/etc/issue\.net"):
        operation(desk, c1, run, "confirm")
    resumed = desk.ask("runs", "resume", run)
    assert resumed.code == 1, resumed
    assert resumed.host(c1)["outcome"] == "failed"
    assert "confirmed, but not closed: " in resumed.host(c1)["reason"]
    assert yard.lab.run(c1, ["ls", "/var/lib/luytre/lock"], check=False).returncode == 0
    yard.lab.write(c1, "/etc/issue.net", b"ours\n")
    again = desk.ask("runs", "resume", run)
    assert again.code == 0, again
    assert again.host(c1)["outcome"] == "confirmed"
    assert places(desk) == []
    assert yard.lab.run(c1, ["ls", "/var/lib/luytre/lock"], check=False).returncode != 0
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


def test_played_by_hand_a_lost_boot_is_told_also_by_a_second_resume(desk, yard, c1, terminal):
    desk.want(also=("firewall-default-drop",))
    told = prepare(desk, "--limit", c1, *FIREWALL)
    run = told["run"]
    assert whole(play(terminal, told))[0] == 0
    yard.lab.run(c1, ["mkdir", "-p", TABLE])
    # Whoever confirmed it was gone before it heard the answer.
    problems = operation(desk, c1, run, "confirm")["problems"]
    assert len(problems) == 1
    assert operation(desk, c1, run, "finish")["problems"] == problems
    resumed = desk.ask("runs", "resume", run)
    assert resumed.code == 1, resumed
    assert resumed.host(c1)["outcome"] == "failed"
    assert resumed.host(c1)["reason"].startswith(LOST)
    yard.lab.run(c1, ["rm", "-r", "/etc/luytre"])
    assert desk.ask("rollback", "--yes", "--run", run, "--force").code == 0


def test_resume_of_a_killed_apply_tells_a_lost_boot(desk, yard, gate, c1):
    desk.settle(confirm_window=600)
    held = control("own-gate", content("/etc/own-gate", reload=[gate.unit]))
    desk.want(held, also=("firewall-default-drop",))
    with desk.started(*APPLY, "--limit", c1) as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        applying.send_signal(signal.SIGKILL)
        applying.wait()
    yard.lab.run(c1, ["mkdir", "-p", TABLE])
    gate.open()
    until(lambda: state(yard, c1) == "converged", "converged")
    run = tree.record(yard.lab, c1)["run"]
    assert operation(desk, c1, run, "confirm")["problems"]
    resumed = desk.ask("runs", "resume", run, "--yes")
    assert resumed.code == 1, resumed
    shown = desk.ask("runs", "show", run)
    assert shown.host(c1)["outcome"] == "failed"
    assert shown.host(c1)["reason"].startswith(LOST)
    yard.lab.run(c1, ["rm", "-r", "/etc/luytre"])
    assert desk.ask("rollback", "--yes", "--host", c1, "--force").code == 0

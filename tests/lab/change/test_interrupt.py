"""Ctrl-C in the middle of an apply: the hosts are as before, nothing of ours goes on anywhere."""

import json
import os
import signal

import pytest

from . import tree
from .desk import APPLY, ended, until
from .processes import everyone, of_desk
from .stage import setting_up
from .wishes import BANNER, GRACE, MARTIANS, content, control

pytestmark = pytest.mark.lab

SLOW = control("own-slow", {"package": {"name": "tiny-slow", "state": "installed"}})


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def told_as_interrupted(desk, host, outcome):
    """Check what the store says of the latest run."""
    run = desk.ask("runs", "list").document["runs"][0]
    assert (run["kind"], run["status"]) == ("apply", "interrupted")
    assert desk.ask("runs", "show", run["run"]).host(host)["outcome"] == outcome


def nothing_goes_on(desk, yard, host):
    """Check that no process of ours is left, here at once and on the host soon."""
    assert of_desk(desk) == []
    until(lambda: not tree.processes(yard.lab, host), "no process of ours on the host", 30)


def test_fault_17_ctrl_c_while_a_host_is_armed_takes_it_back_at_once(desk, yard, c1, gate):
    desk.settle(confirm_window=600)
    desk.want(
        *(BANNER, MARTIANS, GRACE),
        control("own-gate", content("/etc/own-gate", reload=[gate.unit])),
    )
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        # Before the gate lets it go on to its confirmation.
        applying.send_signal(signal.SIGINT)
        gate.open()
        applied = ended(applying)
    assert applied.code == 130, applied
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert applied.document["run"] == tree.record(yard.lab, c1)["run"]
    nothing_goes_on(desk, yard, c1)
    told_as_interrupted(desk, c1, "rolled_back")


def test_an_ansible_that_dies_while_a_host_is_armed_takes_it_back_at_once(desk, yard, c1, gate):
    desk.settle(confirm_window=600)
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        players = [
            seen.number
            for seen in everyone()
            if seen.parent == applying.pid and b"ansible-playbook" in seen.arguments
        ]
        assert len(players) == 1
        os.kill(players[0], signal.SIGKILL)
        gate.open()
        applied = ended(applying)
    assert applied.code == 1, applied
    assert "Ansible did not work" in applied.err
    assert applied.host(c1)["outcome"] == "rolled_back"
    nothing_goes_on(desk, yard, c1)
    told_as_interrupted(desk, c1, "rolled_back")


def test_a_second_ctrl_c_waits_for_nobody_and_tells_what_is_known(desk, yard, c1, c2, gate):
    """c1 is held on its way back by the gate; c2 needed nothing."""
    desk.settle(confirm_window=50)
    gated = control("own-gate", content("/etc/own-gate", reload=[gate.unit]))
    desk.want(BANNER, gated)
    yard.lab.write(c2, "/etc/own-gate", b"ours\n")
    issue = yard.lab.read(c2, "/etc/issue.net")
    yard.lab.write(c2, "/etc/issue.net", b"ours\n")
    both = f"{c1},{c2}"
    with desk.started(*APPLY, "--limit", both, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        applying.send_signal(signal.SIGINT)
        until(lambda: state(yard, c1) == "rolling_back", "on its way back")
        applying.send_signal(signal.SIGINT)
        applied = ended(applying)
        assert state(yard, c1) == "rolling_back"
    gate.open()
    run = tree.record(yard.lab, c1)["run"]
    assert applied.code == 130, applied
    assert applied.document["run"] == run
    left = applied.host(c1)
    assert left["outcome"] == "interrupted"
    assert "takes itself back by 20" in left["reason"]
    assert applied.host(c2)["outcome"] == "unchanged"
    error = json.loads(applied.err)["error"]
    assert c1 in error["hint"]
    assert c2 not in error["hint"]
    assert f"luytre rollback --run {run}" in error["hint"]
    told_as_interrupted(desk, c1, "interrupted")
    (entry,) = [
        one for one in desk.ask("log", "show").document["entries"] if one["action"] == "apply ended"
    ]
    assert entry["detail"]["hosts"] == {c1: "interrupted", c2: "unchanged"}
    until(lambda: state(yard, c1) == "rolled_back", "the way back comes to its end")
    nothing_goes_on(desk, yard, c1)
    yard.lab.run(c2, ["rm", "/etc/own-gate"])
    yard.lab.write(c2, "/etc/issue.net", issue)


def test_fault_17_ctrl_c_while_apt_works_waits_for_apt_and_takes_its_packages_away(desk, yard, c1):
    desk.want(BANNER, SLOW)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: setting_up(yard.lab, c1, "tiny-slow"), "dpkg sets the package up")
        applying.send_signal(signal.SIGINT)
        applied = ended(applying)
    assert applied.code == 130, applied
    assert applied.host(c1)["outcome"] == "rolled_back"
    nothing_goes_on(desk, yard, c1)
    told_as_interrupted(desk, c1, "rolled_back")


@pytest.fixture
def slow_fetching(yard, c1):
    """Fetching a package, which begin does for the way back, takes its time on c1."""
    script = (
        "#!/bin/sh\n"
        'case "$*" in *download*) touch /run/own-fetching; sleep 8 ;; esac\n'
        'exec /usr/bin/apt-get.real "$@"\n'
    )
    yard.lab.run(c1, ["mv", "/usr/bin/apt-get", "/usr/bin/apt-get.real"])
    yard.lab.write(c1, "/usr/bin/apt-get", script.encode(), 0o755)
    yield
    yard.lab.run(c1, ["mv", "/usr/bin/apt-get.real", "/usr/bin/apt-get"])
    yard.lab.run(c1, ["rm", "/run/own-fetching"])
    yard.lab.run(c1, ["apt-get", "-qy", "purge", "tiny"])


@pytest.mark.usefixtures("slow_fetching")
def test_fault_17_ctrl_c_while_a_host_still_begins_leaves_it_free_for_the_next(desk, yard, c1):
    yard.lab.run(c1, ["apt-get", "-qy", "install", "tiny=1.0"])
    desk.want(BANNER, control("own-tiny", {"package": {"name": "tiny", "state": "absent"}}))
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until((yard.lab.root(c1) / "var/lib/luytre/lock").exists, "the host is held")
        until(lambda: _exists(yard, c1, "/run/own-fetching"), "the host fetches")
        applying.send_signal(signal.SIGINT)
        applied = ended(applying)
    assert applied.code == 130, applied
    nothing_goes_on(desk, yard, c1)
    again = desk.apply(c1, control="own-banner")
    assert again.code == 0, again
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def _exists(yard, host, place):
    return yard.lab.run(host, ["test", "-e", place], check=False).returncode == 0

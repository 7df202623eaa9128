"""A host that is not confirmed takes itself back, whatever became of the controller."""

import signal
import subprocess
import time

import pytest

from . import tree
from .desk import APPLY, ended, until
from .processes import of_desk
from .stage import put_unit, take_unit
from .wishes import BANNER, DAEMON, DEAD_END, GRACE, MARTIANS, TRAP, content, control

pytestmark = pytest.mark.lab


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def test_fault_01_a_rule_that_blocks_ssh_is_taken_back_by_the_host_and_every_view_says_so(
    desk, yard, c1
):
    desk.settle(confirm_window=10)
    desk.want(BANNER, MARTIANS, GRACE, TRAP)
    applied = desk.apply(c1)
    assert applied.code == 5, applied
    told = applied.host(c1)
    assert told["outcome"] == "rolled_back"
    assert "no answer" in told["reason"]
    assert yard.changes(c1) == []

    run = applied.document["run"]
    shown = desk.ask("runs", "show", run)
    assert shown.host(c1)["outcome"] == "rolled_back"
    assert shown.host(c1)["reason"] == told["reason"]
    assert shown.document["status"] == "done"
    assert "rolled back" in desk.luytre("runs", "show", run).out
    log = (desk.luytre("log", "show").out, desk.ask("log", "show").out)
    assert all("rolled_back" in text for text in log)
    audit = desk.ask("audit", "--limit", c1)
    assert audit.code == 3, audit
    assert desk.ask("plan", "--limit", c1).code == 3


def test_fault_02_an_old_connection_that_lives_on_confirms_nothing(desk, yard, c1):
    host = next(host for host in yard.lab.hosts() if host.name == c1)
    socket = desk.directory / "old"
    ssh = [
        *("ssh", "-F", "none", "-S", str(socket), "-i", str(yard.lab.key), "-o", "BatchMode=yes"),
        *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    ]
    target = f"ops@{host.address}"
    subprocess.run([*ssh, "-q", "-M", "-N", "-f", target], check=True)
    try:
        desk.settle(confirm_window=20)
        desk.want(TRAP)
        limited = ("--limit", c1, "--output", "json")
        with desk.started(*APPLY, *limited) as applying:
            until(lambda: state(yard, c1) == "converged", "converged")
            old = subprocess.run([*ssh, target, "true"], check=False)
            new = [*ssh, "-S", "none", "-o", "ConnectTimeout=2", target, "true"]
            blocked = subprocess.run(new, check=False)
            assert state(yard, c1) == "converged"
            assert (old.returncode, blocked.returncode) == (0, 255)
            applied = ended(applying)
        assert applied.code == 5, applied
        assert applied.host(c1)["outcome"] == "rolled_back"
        assert state(yard, c1) == "rolled_back"
    finally:
        subprocess.run([*ssh, "-q", "-O", "exit", target], check=True)


def test_fault_04_a_reboot_while_armed_brings_the_old_state_before_ssh_answers(
    desk, yard, c1, gate
):
    desk.want(
        *(BANNER, MARTIANS, GRACE, DAEMON, TRAP),
        control("own-gate", content("/etc/own-gate", reload=[gate.unit])),
    )
    with desk.started(*APPLY, "--limit", c1) as applying:
        until(lambda: _changed(yard, c1), "all is changed, the reload hangs")
        applying.send_signal(signal.SIGKILL)
    assert state(yard, c1) == "armed"
    yard.lab.restart(c1)
    assert state(yard, c1) == "rolled_back"
    back = (yard.lab.root(c1) / "var/lib/luytre/runs").glob("*/run.json")
    moment = max(place.stat().st_mtime for place in back) - time.time() + time.monotonic()
    assert moment < _entered(yard, c1, "network-pre.target", "ActiveEnterTimestampMonotonic")
    assert moment < _entered(yard, c1, "ssh.service", "ExecMainStartTimestampMonotonic")


def _entered(yard, host, unit, moment):
    """Return when a unit came up in this boot, on the machine's monotonic clock in seconds."""
    shown = yard.lab.run(host, ["systemctl", "show", "--value", "-p", moment, unit])
    return int(shown.stdout) / 1e6


def _changed(yard, host):
    """Return whether everything is changed but for the last step, which the gate holds."""
    rules = yard.lab.run(host, ["nft", "list", "tables"]).stdout
    waits = yard.lab.run(host, ["pgrep", "-f", "own-gate-open"], check=False).returncode == 0
    return state(yard, host) == "armed" and b"luytre" in rules and waits


def test_fault_05_a_controller_killed_while_armed_leaves_the_host_to_its_timer(
    desk, yard, c1, gate
):
    desk.settle(confirm_window=10)
    desk.want(
        *(BANNER, GRACE),
        control("own-gate", content("/etc/own-gate", reload=[gate.unit])),
    )
    with desk.started(*APPLY, "--limit", c1) as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        applying.send_signal(signal.SIGKILL)
    gate.open()
    until(lambda: state(yard, c1) == "converged", "the unit goes on to its end")
    until(lambda: state(yard, c1) == "rolled_back", "the timer takes it back")
    until(lambda: not of_desk(desk), "no orphan on the controller")
    shown = desk.ask("audit", "--limit", c1)
    assert shown.code == 3, shown


def test_the_console_takes_an_armed_change_back_without_network_or_controller(desk, yard, c1):
    desk.settle(confirm_window=60)
    desk.want(BANNER, DEAD_END)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "converged", "converged")
        motd = yard.lab.read(c1, "/run/motd.d/luytre").decode()
        assert "sudo /var/lib/luytre/undo" in motd
        assert "Trần Thị Bình" in motd
        undone = yard.lab.run(c1, ["/var/lib/luytre/undo"])
        assert b"rolled_back" in undone.stdout
        applied = ended(applying)
    assert applied.code == 5, applied
    assert applied.host(c1)["outcome"] == "rolled_back"


def test_a_converge_that_fails_half_way_is_taken_back_at_once_and_names_the_control(desk, yard, c1):
    put_unit(yard.lab, c1, "own-broken.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    try:
        desk.settle(confirm_window=600)
        desk.want(
            *(BANNER, MARTIANS),
            control("own-broken", {"unit": {"name": "own-broken.service", "active": True}}),
        )
        applied = desk.apply(c1)
        assert applied.code == 5, applied
        told = applied.host(c1)
        assert told["outcome"] == "rolled_back"
        assert "own-broken" in told["reason"]
    finally:
        take_unit(yard.lab, c1, "own-broken.service")

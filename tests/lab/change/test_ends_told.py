"""How a change ended is told as it was, and nothing that it held stays held."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest

from . import tree
from .desk import APPLY, Desk, ended, until
from .stage import put_unit, take_unit
from .wishes import BANNER, GRACE, TRAP, content, control

pytestmark = pytest.mark.lab

NOBODY = control("own-nobody", {"sshd": {"AllowUsers": "nobody"}}, risk="lockout")
FRIEND = control("own-friend", {"package": {"name": "tiny-friend", "state": "installed"}})
_SHELVED = "/srv/shelf/tiny-friend_1.0_all.deb"


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


@pytest.fixture
def sulky(yard, c1):
    """A service that reloads once and never again."""
    unit = "own-sulky.service"
    text = "[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/mkdir /run/own-sulky\n"
    put_unit(yard.lab, c1, unit, text)
    yard.lab.run(c1, ["systemctl", "start", unit])
    yield unit
    take_unit(yard.lab, c1, unit)
    yard.lab.run(c1, ["rm", "-rf", "/run/own-sulky"])


def test_fault_06_a_service_that_does_not_come_back_is_critical_and_ssh_is_taken_back_with_it(
    desk, yard, c1, sulky
):
    desk.want(NOBODY, control("own-sulky", content("/etc/own-sulky", reload=[sulky])))
    applied = desk.apply(c1)
    again = desk.ask("audit", "--limit", c1)
    yard.lab.run(c1, ["systemctl", "restart", "ssh.service"])
    assert again.code != 4, again
    assert applied.code == 1, applied
    assert "CRITICAL" in applied.host(c1)["reason"]
    yard.lab.run(c1, ["rmdir", "/run/own-sulky"])
    assert desk.ask("rollback", "--yes", "--host", c1, "--force").code == 0


@pytest.fixture
def stubborn(yard, c1):
    """A service that undoes the change of its file whenever it is reloaded."""
    unit = "own-stubborn.service"
    reload = "ExecReload=/bin/sh -c 'echo mine > /etc/own-stubborn'"
    put_unit(yard.lab, c1, unit, f"[Service]\nExecStart=/bin/sleep infinity\n{reload}\n")
    yard.lab.run(c1, ["systemctl", "start", unit])
    yield unit
    take_unit(yard.lab, c1, unit)
    yard.lab.run(c1, ["rm", "-f", "/etc/own-stubborn"])


def test_what_the_second_audit_finds_is_what_the_log_tells(desk, c1, stubborn):
    desk.want(BANNER, control("own-stubborn", content("/etc/own-stubborn", reload=[stubborn])))
    applied = desk.apply(c1)
    assert applied.code == 1, applied
    assert applied.host(c1)["outcome"] == "failed"
    assert applied.host(c1)["still_failing"] == ["own-stubborn"]
    entries = desk.ask("log", "show").document["entries"]
    told = [one["detail"]["hosts"] for one in entries if one["action"] == "apply ended"]
    assert told == [{c1: "failed"}]
    assert [one["action"] for one in entries[:2]] == ["apply ended", "audit"]
    taken = desk.ask("rollback", "--yes", "--host", c1, "--force")
    assert taken.code in (0, 1), taken


def test_ctrl_c_while_a_host_waits_for_its_confirmation_is_told_of_that_host(
    desk, yard, c1, scratch
):
    # To be told that nobody gets in takes up to 20 s; until then it must not have gone back.
    desk.settle(confirm_window=40)
    desk.want(TRAP)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "converged", "converged")
        # From then on only the confirmation is awaited.
        until(lambda: not [*scratch.glob("luytre-play-*")], "Ansible has ended")
        applying.send_signal(signal.SIGINT)
        applied = ended(applying)
    assert applied.code == 130, applied
    assert applied.host(c1)["outcome"] == "interrupted"
    run = desk.ask("runs", "list").document["runs"][0]["run"]
    assert desk.ask("runs", "show", run).host(c1)["outcome"] == "interrupted"
    until(lambda: state(yard, c1) == "rolled_back", "the timer takes it back", 120)
    until(lambda: yard.changes(c1) == [], "nothing of it is left")


def _command_lines():
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_controller_told_to_end_takes_back_what_is_armed_and_leaves_no_directory(
    desk, yard, gate, scratch, sent
):
    c1 = "c1"  # the gate's
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        # Before the gate lets it go on to its confirmation.
        applying.send_signal(sent)
        gate.open()
        applied = ended(applying)
    assert applied.code == 130, applied
    assert list(scratch.iterdir()) == []
    assert [line for line in _command_lines() if str(scratch) in line] == []
    assert applied.host(c1)["outcome"] == "rolled_back"
    assert state(yard, c1) == "rolled_back"


def test_a_package_that_cannot_be_fetched_leaves_the_host_free_at_once(desk, yard, c1):
    yard.lab.run(c1, ["mv", _SHELVED, "/srv/lost"])
    try:
        desk.want(FRIEND)
        failed = desk.apply(c1)
    finally:
        yard.lab.run(c1, ["mv", "/srv/lost", _SHELVED])
    assert failed.code == 5, failed
    assert "tiny-friend" in failed.host(c1)["reason"]
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_a_host_that_cannot_be_armed_is_not_changed_and_says_so_at_once(desk, yard, c1):
    yard.lab.run(c1, ["sh", "-c", "mv /run/motd.d /run/motd.away; touch /run/motd.d"], check=False)
    try:
        desk.want(BANNER)
        applied = desk.apply(c1)
    finally:
        script = "rm /run/motd.d; [ ! -e /run/motd.away ] || mv /run/motd.away /run/motd.d"
        yard.lab.run(c1, ["sh", "-c", script])
    assert applied.code == 1, applied
    assert "motd" in applied.host(c1)["reason"]
    assert state(yard, c1) == "dropped"
    assert (
        yard.lab.run(c1, ["systemctl", "list-timers", "--all", "luytre*"]).stdout.count(b"luytre")
        == 0
    )


def test_nobody_rolls_back_a_host_that_another_run_is_changing(desk, yard, c1, gate, tmp_path):
    desk.want(GRACE)
    first = desk.apply(c1)
    assert first.code == 0, first
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    other.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    with other.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: state(yard, c1) == "armed", "armed")
        taken = desk.ask("rollback", "--yes", "--run", first.document["run"])
        gate.open()
        applied = ended(applying)
    assert taken.code == 6, taken
    assert "Lê Văn Cường" in taken.host(c1)["reason"]
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_hosts_that_wait_in_vain_keep_no_other_from_being_confirmed(desk, c1, t1):
    desk.settle(concurrency=1)
    desk.want(BANNER, {**TRAP, "applies": {"os": "debian-12"}})
    applied = desk.apply(c1, t1)
    assert applied.host(t1)["outcome"] == "confirmed", applied
    assert applied.host(c1)["outcome"] == "rolled_back", applied
    assert applied.code == 5
    assert desk.ask("rollback", "--yes", "--host", t1).code == 0


def test_ssh_arguments_of_the_operators_environment_do_not_bend_our_way(desk, c1, monkeypatch):
    for name in ("ANSIBLE_SSH_EXTRA_ARGS", "ANSIBLE_SSH_COMMON_ARGS"):
        monkeypatch.setenv(name, "-o ProxyCommand=false")
    desk.want(BANNER)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0

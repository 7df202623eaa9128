"""What cannot be proved is undone: the host is as it was, whoever or whatever ended the work."""

from typing import NamedTuple

import pytest

from orchestrator.lab import Trait
from orchestrator.lab.model import ADMIN

from ..change.desk import until
from .conftest import MakeNovice, Novice

pytestmark = pytest.mark.lab


class Break(NamedTuple):
    """What breaks one step, most after it has changed something; what is told; what mends it."""

    script: str
    told: str
    mend: str


_HOOK = "/etc/apt/apt.conf.d/zz"
BREAKS = {
    "packages cannot be had": Break(
        "mkdir /apt; mv /etc/apt/sources.list.d /var/lib/apt/lists /apt;"
        " mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial",
        "cannot fetch",
        "rm -r /etc/apt/sources.list.d /var/lib/apt/lists;"
        " mv /apt/sources.list.d /etc/apt; mv /apt/lists /var/lib/apt; rmdir /apt",
    ),
    "packages, installed already": Break(
        f"echo 'DPkg::Post-Invoke {{\"exit 1\";}};' >{_HOOK}", "packages", f"rm {_HOOK}"
    ),
    "user": Break(
        "cd /usr/sbin; mv useradd useradd.true; printf '%s\n' '#!/bin/sh' 'useradd.true \"$@\"'"
        " '[ $1 = -D ]' >useradd; chmod +x useradd",
        "the account",
        "cd /usr/sbin; mv useradd.true useradd",
    ),
    "key": Break("ln -s /nowhere /etc/skel/.ssh", "is a link", "rm /etc/skel/.ssh"),
    "sudo": Break(
        "cd /etc/sudoers.d; echo 'no rule' >broken; chmod 0440 broken",
        "visudo refuses: /etc/sudoers.d/broken",
        "rm /etc/sudoers.d/broken",
    ),
    "the fresh login": Break(
        "echo 'AllowUsers root' >/etc/ssh/sshd_config.d/a.conf; systemctl restart ssh",
        "not confirmed",
        "rm /etc/ssh/sshd_config.d/a.conf; systemctl restart ssh",
    ),
    "sudo over the fresh login": Break(
        "cd /etc/sudoers.d; echo 'ops ALL=(ALL) PASSWD: ALL' >zzz; chmod 0440 zzz",
        "not confirmed: sudo",
        "rm /etc/sudoers.d/zzz",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_failure_at_any_step_leaves_the_host_as_it_was(unprepared: Novice, what: str) -> None:
    host, broken = unprepared, BREAKS[what]
    host.sh(broken.script)
    try:
        before = host.state()
        done = host.bootstrap()
        assert (done.code, host.told(done)["result"]) == (5, "undone"), done
        assert broken.told in host.told(done)["reason"]
        assert host.changed_since(before) == []
    finally:
        host.sh(broken.mend)


def test_the_newest_release_goes_back_as_exactly(novice: MakeNovice) -> None:
    host = novice(Trait.ADMIN_LOGIN, Trait.NO_PYTHON, release="trixie")
    host.sh("echo 'AllowUsers admin' >/etc/ssh/sshd_config.d/a.conf; systemctl restart ssh")
    # What sudo itself leaves of the first time that somebody uses it.
    host.sh(f"runuser -u {ADMIN} touch /home/{ADMIN}/.sudo_as_admin_successful")
    before = host.state()
    done = host.bootstrap(user=ADMIN)
    assert (done.code, host.told(done)["result"]) == (5, "undone"), done
    assert host.changed_since(before) == []


def test_an_account_that_was_there_is_as_it_was(novice: MakeNovice) -> None:
    host = novice(Trait.ROOT_LOGIN)
    host.sh("useradd -m ops && install -d -o ops -g ops -m 751 /home/ops/.ssh")
    host.lab.write(host.name, "/home/ops/.ssh/authorized_keys", b"# mine, without end", 0o640)
    host.sh("chown ops:users /home/ops/.ssh/authorized_keys")
    host.sh(BREAKS["the fresh login"].script)
    before = host.state()
    done = host.bootstrap()
    assert (done.code, host.told(done)["result"]) == (5, "undone"), done
    assert host.changed_since(before) == []


def slow(host: Novice, hook: str, seconds: int = 4) -> Novice:
    """Let the installation of packages take a while at ``hook``, and say when it is there."""
    line = f'{hook} {{"touch /run/slow; sleep {seconds}";}};\n'
    host.lab.write(host.name, _HOOK, line.encode())
    host.sh("rm -f /run/slow")
    return host


def at_work(host: Novice) -> None:
    """Wait until the installation of packages has come to its hook."""
    seen = ["test", "-e", "/run/slow"]
    until(lambda: host.lab.run(host.name, seen, check=False).returncode == 0, "apt at work", 180)


def undone(host: Novice, seconds: float = 240) -> None:
    """Wait until the host has taken itself back."""
    place = host.lab.root(host.name) / "var/lib/luytre-bootstrap"
    until(lambda: not place.exists(), "taken back", seconds)


@pytest.mark.parametrize("hook", ["DPkg::Pre-Invoke", "DPkg::Post-Invoke"])
def test_a_host_whose_controller_died_takes_itself_back(unprepared: Novice, hook: str) -> None:
    host = slow(unprepared, hook)
    host.desk.settle(confirm_window=10)
    before = host.state()
    with host.desk.started("inventory", "bootstrap", *host.words()) as process:
        at_work(host)
        process.kill()
    again = host.bootstrap()
    assert (again.code, host.told(again)["result"]) == (6, "refused"), again
    undone(host)
    assert host.changed_since(before) == []


def test_a_connection_that_drops_is_told_and_all_is_undone_at_once(unprepared: Novice) -> None:
    host = slow(unprepared, "DPkg::Post-Invoke")
    before = host.state()
    with host.desk.started("inventory", "bootstrap", *host.words()) as process:
        at_work(host)
        host.sh("pkill -f '^sshd: root' || pkill -f '^sshd-session: root'")
        out, _err = process.communicate(timeout=240)
    assert process.returncode == 5, out
    assert "connection was lost" in out
    assert host.changed_since(before) == []


@pytest.mark.parametrize("hook", ["DPkg::Pre-Invoke", "DPkg::Post-Invoke"])
def test_a_power_cut_is_mended_at_the_next_boot(unprepared: Novice, hook: str) -> None:
    host = slow(unprepared, hook, seconds=30)
    before = host.state()
    with host.desk.started("inventory", "bootstrap", *host.words()):
        at_work(host)
        host.lab.restart(host.name)
        undone(host)

    def left():
        return [each for each in host.changed_since(before) if not each.startswith("units: ")]

    # The last thing to go is where the work talked, a moment after the record of it.
    until(lambda: not left(), "the end of the way back")

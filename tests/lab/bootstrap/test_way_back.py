"""The way back loses nothing of others, never runs twice at once, and does not give up."""

from collections.abc import Iterator

import pytest

from ..change.desk import until
from .conftest import Novice
from .test_undone import BREAKS, undone

pytestmark = pytest.mark.lab

_NO_LOGIN = BREAKS["the fresh login"]


@pytest.fixture
def shut(plain: Novice) -> Iterator[Novice]:
    """The host with a root login, which lets the new account not in."""
    plain.sh(_NO_LOGIN.script)
    yield plain
    plain.sh(_NO_LOGIN.mend)


def goes_back(host: Novice) -> list[str]:
    """Bootstrap it in vain, and return what is left."""
    done = host.bootstrap()
    assert (done.code, host.told(done)["result"]) == (5, "undone"), done
    made: list[str] = host.told(done)["made"]
    return made


# A small disk of its own below /var/lib, where only what was there is elsewhere.
_SMALL_DISK = """
    mkdir -p /run/vl; mount --bind /var/lib /run/vl; mount --make-private /run/vl
    mount -t tmpfs -o size=4m none /var/lib
    cd /run/vl
    for one in */; do mkdir "/var/lib/$one"; mount --bind "/run/vl/$one" "/var/lib/$one"; done"""
# systemd hears of it a moment later.
_AWAY_WITH_IT = """
    umount -l /var/lib; umount -l /run/vl; rmdir /run/vl
    timeout 20 sh -c 'while systemctl list-units --plain var-lib*.mount | grep -q ^var-lib
    do sleep 0.1; done'"""


def test_a_full_disk_does_not_stop_the_way_back(plain: Novice) -> None:
    before = plain.state()
    plain.sh(_SMALL_DISK)
    try:
        with plain.meanwhile("head -c 9000000 /dev/zero >/var/lib/fill"):
            assert goes_back(plain) == []
        assert plain.sh("ls -d /var/lib/luytre-bootstrap || true") == ""
    finally:
        plain.sh(_AWAY_WITH_IT)
    assert plain.changed_since(before) == []


def test_a_disk_that_is_full_already_is_told_before_anything_begins(plain: Novice) -> None:
    before = plain.state()
    plain.sh(f"{_SMALL_DISK}\nhead -c 9000000 /dev/zero >/var/lib/fill || true")
    try:
        done = plain.bootstrap()
        assert (done.code, plain.told(done)["result"]) == (5, "undone"), done
        assert "/var/lib/luytre-bootstrap" in plain.told(done)["reason"]
    finally:
        plain.sh(_AWAY_WITH_IT)
    assert plain.changed_since(before) == []


def test_two_ways_back_never_run_at_once(shut: Novice) -> None:
    # What the way back calls stays a while, notices another one, and starts the one of the boot.
    wrapper = """#!/bin/sh
mkdir /run/alone || touch /run/together
systemctl start --no-block luytre-bootstrap-undo.service
sleep 2
rmdir /run/alone
"""
    before = shut.state()
    shut.sh("mv /usr/bin/loginctl /usr/bin/loginctl.true; rm -f /run/together")
    shut.lab.write(shut.name, "/usr/bin/loginctl", wrapper.encode(), 0o755)
    try:
        assert goes_back(shut) == []
        assert shut.sh("ls -d /run/together || true") == ""
    finally:
        shut.sh("mv /usr/bin/loginctl.true /usr/bin/loginctl")
    assert shut.changed_since(before) == []


def test_what_others_changed_meanwhile_stays(shut: Novice) -> None:
    with shut.meanwhile("useradd colleague"):
        goes_back(shut)
    assert shut.sh("getent passwd | cut -d: -f1 | grep -x -e ops -e colleague") == "colleague\n"
    shut.sh("userdel colleague")


def test_what_others_are_still_changing_is_waited_for(shut: Novice) -> None:
    # A colleague's editor: what it writes at its end was read while our account was there.
    editor = "#!/bin/sh\nsleep 6\nsed -i 's/^games:.*/&,mine/' \"$1\"\n"
    shut.lab.write(shut.name, "/usr/local/bin/slowly", editor.encode(), 0o755)
    with shut.meanwhile("systemd-run -q -u colleague -E VISUAL=slowly vipw; sleep 1"):
        goes_back(shut)
    until(lambda: "inactive" in shut.sh("systemctl is-active colleague || true"), "their end", 120)
    assert shut.sh("getent passwd | grep -c -e ',mine' -e ^ops:") == "1\n"
    shut.sh("sed -i 's/,mine//' /etc/passwd; rm /usr/local/bin/slowly")


def test_a_group_that_was_there_stays(shut: Novice) -> None:
    shut.sh("groupadd -g 7777 ops; useradd colleague -g ops")
    with shut.meanwhile("useradd second"):
        goes_back(shut)
    assert shut.sh("id -gn colleague; getent group ops; id ops || true") == "ops\nops:x:7777:\n"
    shut.sh("userdel second; userdel colleague; groupdel ops || true")


def test_the_account_itself_cannot_make_root_write_elsewhere(shut: Novice) -> None:
    shut.sh("useradd -m ops && install -d -o ops -g ops -m 700 /home/ops/.ssh")
    own = b"ops ALL=(ALL:ALL) NOPASSWD: ALL\n"
    shut.lab.write(shut.name, "/home/ops/.ssh/authorized_keys", own, 0o600)
    shut.sh(
        "chown ops: /home/ops/.ssh/authorized_keys; echo root >/etc/victim; chmod 600 /etc/victim"
    )
    trap = "while :; do ln -s /etc/victim /home/ops/.ssh/authorized_keys.luytre; done 2>/dev/null"
    shut.sh(f"systemd-run -q --uid=ops -u trap sh -c '{trap}'")
    try:
        goes_back(shut)
        assert shut.sh("stat -c %U:%a /etc/victim; cat /etc/victim") == "root:600\nroot\n"
        assert shut.sh("cat /home/ops/.ssh/authorized_keys").encode() == own
    finally:
        shut.sh("systemctl stop trap; rm /etc/victim")
        shut.forget()


def test_packages_of_others_stay_and_so_do_those_that_they_need(unprepared: Novice) -> None:
    host = unprepared
    for name, needs in (("colleague", "dpkg"), ("needing", "python3")):
        control = f"Package: {name}\\nVersion: 1\\nArchitecture: all\\nDepends: {needs}\\n"
        control += "Maintainer: x <x@x>\\nDescription: x\\n"
        host.sh(
            f"mkdir -p /{name}/DEBIAN /{name}/etc; printf '{control}' >/{name}/DEBIAN/control;"
            f" echo mine >/{name}/etc/{name}.conf; echo /etc/{name}.conf >/{name}/DEBIAN/conffiles;"
            f" dpkg-deb -b /{name} /{name}.deb; rm -r /{name}"
        )
    host.sh(_NO_LOGIN.script)
    try:
        with host.meanwhile("dpkg -i /colleague.deb /needing.deb"):
            left = goes_back(host)
        there = host.sh("dpkg-query -Wf '${Package} ${db:Status-Status}\\n' | grep ' installed'")
        names = {line.split()[0] for line in there.splitlines()}
        assert {"colleague", "needing", "python3"} <= names
        assert "python3-apt" not in names
        assert "package python3" in left
        assert host.sh("cat /etc/colleague.conf; dpkg --audit") == "mine\n"
    finally:
        host.sh(f"{_NO_LOGIN.mend}; rm /*.deb; dpkg --purge colleague needing")
        host.sh("dpkg --purge $(dpkg-query -Wf '${Package}\\n' '*python3*')")


def test_a_power_cut_after_the_last_step_is_mended_though_the_first_try_fails(
    plain: Novice,
) -> None:
    before = plain.state()
    place = "/etc/systemd/system/luytre-bootstrap-undo.service.d"
    fails = "ExecStartPre=/bin/sh -c 'rm /var/fails'"
    plain.sh(f"mkdir {place} /var/fails")
    # Tried so often, systemd would give up before the host can be asked whether it has booted.
    drop_in = f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=1s\n{fails}\n"
    plain.lab.write(plain.name, f"{place}/a.conf", drop_in.encode())
    with plain.meanwhile("systemctl stop ssh"):
        words = ("inventory", "bootstrap", *plain.words())
        with plain.desk.started(*words) as process:
            ready = plain.lab.root(plain.name) / "var/lib/luytre-bootstrap/ready"
            until(ready.exists, "the last step", 180)
            process.kill()
        plain.lab.restart(plain.name)
        tries = "journalctl -b -u luytre-bootstrap-undo.service | grep -c 'rm: cannot' || true"
        until(lambda: plain.sh(tries).strip() != "0", "a try that fails", 180)
        plain.sh("rmdir /var/fails; touch /var/fails")
        undone(plain)
    plain.sh(f"rm -r {place}; systemctl daemon-reload")
    assert [d for d in plain.changed_since(before) if not d.startswith("units: ")] == []

"""What an intruder would do so that a server sees nothing of it: each is told all the same."""

import pytest

from .conftest import SERVERS, WEB, alerts, look, unwatched, watch

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200), pytest.mark.usefixtures("english")]

# Logs somebody in at a terminal that goes away again.
_CONSOLE = """
import os, pty, signal, sys, time
child, terminal = pty.fork()
if not child:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execv("/usr/bin/login", ["login", "-f", sys.argv[1]])
told, end = b"", time.monotonic() + 20
while not told.endswith(b"$ ") and time.monotonic() < end:
    try:
        told += os.read(terminal, 1000)
    except OSError:
        time.sleep(0.1)  # login hangs up whoever was there before
"""
# vfs_cap_data, linux/capability.h: cap_setuid, permitted and effective.
_SETCAP = """
import os, struct
os.setxattr("/usr/bin/nproc", "security.capability", struct.pack("<5I", 0x02000001, 128, 0, 0, 0))
"""
# The record, as if it were of some minutes ago.
_OLDER = """
import json, sys
place = "/var/lib/luytre-intrusion/record.json"
told = json.load(open(place))
told["watched"] -= 660
told["memory"]["logins"]["heard"] -= 660
json.dump(told, open(place, "w"))
"""


@pytest.fixture(scope="module", params=SERVERS)
def server(request, lab, desk):
    """A server with somebody whom the watch does not know, and of whom nothing is told yet."""
    name = request.param
    lab.run(name, ["useradd", "--create-home", "--shell", "/bin/bash", "-G", "sudo", "eve"])
    desk.ask("intrusion", "status", "--limit", name)
    numbers = [str(one["number"]) for one in alerts(desk, "--limit", name)]
    if numbers:
        assert desk.ask("intrusion", "seen", *numbers, "--remark", "before").code == 0
    return name


def told(desk, server, what):
    """Return the details of what is open of that sort, the oldest first, after asking anew."""
    desk.ask("intrusion", "status", "--limit", server)
    found = alerts(desk, "--limit", server)
    return [one["details"] for one in reversed(found) if one["details"]["what"] == what]


def test_a_directory_with_an_odd_name_hides_no_sudo(lab, desk, server):
    odd = "cd $(mktemp -d /tmp/$(printf 'odd\\377')XXXX) && sudo -n id"
    lab.run(server, ["su", "eve", "-s", "/bin/bash", "-c", odd], check=False)
    (one,) = told(desk, server, "sudo_refused")
    assert (one["user"], one["command"]) == ("eve", "/usr/bin/id")


def test_a_command_is_not_taken_for_a_refusal(lab, desk, server):
    before = told(desk, server, "sudo_refused")
    lab.run(server, ["sudo", "-n", "echo", "a password is required"])
    assert told(desk, server, "sudo_refused") == before


def test_a_login_at_the_console_is_told(lab, desk, server):
    lab.run(server, ["python3", "-c", _CONSOLE, "eve"])
    assert [one["user"] for one in told(desk, server, "login_console")] == ["eve"]


def test_who_loses_his_bounds_has_a_new_key(lab, desk, server):
    place = "/home/clerk/.ssh/authorized_keys"
    key = lab.read(server, place)
    lab.write(server, place, b'restrict,command="id" ' + key)
    desk.ask("intrusion", "status", "--limit", server)
    before = len(told(desk, server, "key_new"))
    lab.write(server, place, key)
    assert len(told(desk, server, "key_new")) == before + 1


def test_a_first_group_with_rights_is_told(lab, desk, server):
    lab.run(server, ["usermod", "-g", "adm", "eve"])
    found = [(one["user"], one["group"]) for one in told(desk, server, "group_mighty")]
    assert found == [("eve", "adm")]


def test_a_pause_is_told_though_the_watch_runs_again(lab, desk, server):
    if float(lab.read(server, "/proc/uptime").split()[0]) < 700:
        pytest.skip("the machine under the lab has not run for so long")
    lab.run(server, ["systemctl", "stop", "luytre-intrusion.timer"])
    lab.run(server, unwatched("python3", "-c", _OLDER))
    lab.run(server, ["systemctl", "start", "luytre-intrusion.timer"])
    # It has looked again by the time that somebody asks.
    watch(lab, server)
    assert len(told(desk, server, "stopped")) == 1


def test_a_mute_journal_is_no_quiet_server(lab, desk, server):
    place = "/run/systemd/journald.conf.d/zz-mute.conf"
    mute = f"mkdir -p {place.rpartition('/')[0]}; printf '[Journal]\\nStorage=none\\n' > {place}"
    # It has read what there was.
    lab.run(server, ["systemctl", "stop", "luytre-intrusion.timer"])
    watch(lab, server)
    lab.run(server, ["sh", "-ec", f"{mute}; systemctl restart systemd-journald"])
    # What it holds of us is older than that.
    lab.run(server, unwatched("python3", "-c", _OLDER))
    done = desk.ask("intrusion", "status", "--limit", server)
    start = "systemctl start luytre-intrusion.timer"
    lab.run(server, ["sh", "-ec", f"rm {place}; systemctl restart systemd-journald; {start}"])
    lacks = done.host(server)["lacks"]
    assert "journal: it does not hold even this login" in lacks.get("problem", ""), lacks
    again = desk.ask("intrusion", "status", "--limit", server)
    assert "problem" not in again.host(server)["lacks"]


def test_a_journal_that_was_emptied_is_told(lab, desk, server):
    empty = "rm -rf /var/log/journal/* /run/log/journal/*; systemctl restart systemd-journald"
    lab.run(server, ["sh", "-ec", empty])
    assert len(told(desk, server, "journal_cut")) == 1


def test_rights_that_are_no_mode_are_seen_by_aide(lab, desk):
    lab.run(WEB, ["python3", "-c", _SETCAP])
    look(lab, WEB)
    (one,) = [one for one in told(desk, WEB, "file_changed") if one["path"] == "/usr/bin/nproc"]
    assert "capabilities" in one["detail"]

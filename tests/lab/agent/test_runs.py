"""Runs on a real host: there and back, and whatever happens the host goes back."""

import json
import threading
import time

import pytest

from .inside import Inside
from .room import DRESS, FILE, ROOM, SERVICE, content
from .story import Story, left, nothing_left

pytestmark = pytest.mark.lab


def test_a_run_there_and_back(host):
    story = Story(host, "r1", FILE, DRESS)
    story.armed()
    assert content(host) == "new\n"
    assert {each.rpartition("/")[2] for each in left(host)} == {
        *("luytre-revert-r1-2.timer", "luytre-revert.service", "luytre", "lock", "r1"),
    }
    assert story.confirm()["result"] == {"state": "confirmed", "problems": []}
    assert left(host) == []
    host.sh(f"echo more >> {ROOM}/dressed")
    told = story.rollback()["result"]
    assert (told["state"], told["reason"]) == ("rolled_back", "")
    assert told["done"] == {
        "resources": [f"path:{ROOM}/file", f"dress:{ROOM}/dressed"],
        "away": [],
        "back": [],
    }
    assert content(host) == "old\n"
    assert host.sh(f"cat {ROOM}/dressed; stat -c %a {ROOM}/dressed") == "log\nmore\n644\n"
    assert left(host) == []


NESTED = ("file", {"path": f"{ROOM}/a/b/new", "content": "x"})


@pytest.mark.parametrize("by", ["operator", "timer"])
def test_a_directory_that_somebody_filled_since_stays_and_is_told(host, by):
    story = Story(host, "r1", NESTED, FILE)
    story.armed()
    host.sh(f"echo theirs > {ROOM}/a/theirs")
    if by == "timer":
        story.saved_agent("expire")
        told = json.loads(story.read("expired.json"))
    else:
        story.confirm()
        told = story.rollback()["result"]
    reason = f"left, because somebody filled it: path:{ROOM}/a"
    assert (told["state"], told["reason"]) == ("rolled_back", reason)
    assert content(host) == "old\n"
    assert host.sh(f"cd {ROOM}; cat a/theirs; ls a") == "theirs\ntheirs\n"
    known = host.ask("status")["result"]["runs"]["known"][0]
    assert (known["state"], known["kept"]) == ("rolled_back", [f"path:{ROOM}/a"])
    assert left(host) == []


def test_a_filled_directory_in_the_place_of_a_file_is_a_broken_way_back(host):
    """What was there before cannot come back: that must not pass for a rollback."""
    story = Story(host, "r1", FILE)
    story.armed()
    host.sh(f"cd {ROOM}; rm file; mkdir file; echo theirs > file/theirs")
    story.saved_agent("expire")
    assert story.state == "broken"
    assert host.sh(f"cat {ROOM}/file/theirs") == "theirs\n"


def test_a_run_that_nobody_confirms_goes_back_by_its_timer(host):
    story = Story(host, "r1", FILE)
    story.window = 1
    story.armed()
    assert story.ended("rolled_back", "broken") == "rolled_back"
    assert content(host) == "old\n"
    assert "refused" in story.confirm()


def test_the_console_command_takes_back_and_says_so(host):
    story = Story(host, "r1", FILE)
    story.armed()
    assert host.sh("/var/lib/luytre/undo") == "rolled_back \n"
    assert content(host) == "old\n"
    assert host.status("/var/lib/luytre/undo") == 0
    assert left(host) == []


def test_a_second_converge_does_not_touch_the_journal(host):
    story = Story(host, "r1", FILE)
    story.armed()
    journal = story.read("journal.json")
    assert "converged" in story.converge()["refused"]
    assert "failed" in story.saved_agent("converge")
    assert story.read("journal.json") == journal
    assert story.state == "converged"
    assert story.rollback()["result"]["state"] == "rolled_back"
    assert content(host) == "old\n"


def test_begin_of_a_run_that_was_here_before_changes_nothing(host):
    story = Story(host, "r1", FILE)
    story.armed()
    assert "was here before" in host.ask("begin", run="r1")["refused"]
    story.confirm()
    assert story.state == "confirmed"


def test_where_no_timer_can_be_armed_nothing_is_changed(host):
    host.sh("mv /usr/bin/systemd-run /usr/bin/systemd-run.away")
    try:
        story = Story(host, "r1", FILE)
        story.begin()
        told = story.converge()["result"]
    finally:
        host.sh("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")
    assert told["state"] == "dropped"
    assert "systemd-run" in told["reason"]
    assert content(host) == "old\n"
    assert left(host) == []


def test_where_the_boot_unit_cannot_be_written_nothing_is_changed(host):
    story = Story(host, "r1", FILE)
    story.begin()
    host.sh(
        "mount --bind /etc/systemd/system /etc/systemd/system;"
        " mount -o remount,bind,ro /etc/systemd/system"
    )
    try:
        told = story.converge()["result"]
    finally:
        host.sh("umount /etc/systemd/system")
    assert told["state"] == "dropped"
    assert "Read-only" in told["reason"]
    assert content(host) == "old\n"
    assert left(host) == []


def test_a_target_that_cannot_be_written_sends_the_run_back(host):
    story = Story(host, "r1", DRESS, FILE)
    story.begin()
    host.sh(f"mkdir {ROOM}/ro; mount --bind {ROOM} {ROOM}; mount -o remount,bind,ro {ROOM}")
    try:
        told = story.converge()["result"]
    finally:
        host.sh(f"umount {ROOM}")
    assert told["state"] == "rolled_back", told
    assert "Read-only" in told["reason"]
    assert left(host) == []


def test_a_full_disk_does_not_stop_the_way_back(host):
    host.sh("mkdir -m 700 /var/lib/luytre; mount -t tmpfs -o size=6m tmpfs /var/lib/luytre")
    story = Story(host, "r1", FILE, DRESS)
    story.armed()
    host.sh("dd if=/dev/zero of=/var/lib/luytre/filler bs=4k 2>/dev/null || true")
    assert story.saved_agent("expire") == ""
    assert story.state == "rolled_back"
    assert content(host) == "old\n"
    assert left(host) == []


def test_a_full_disk_refuses_to_begin_and_lets_go(host):
    host.sh("mkdir -m 700 /var/lib/luytre; mount -t tmpfs -o size=6m tmpfs /var/lib/luytre")
    host.sh("dd if=/dev/zero of=/var/lib/luytre/filler bs=4k count=1400 2>/dev/null")
    told = Story(host, "r1", FILE).begin()
    assert "No space left" in told["failed"]
    assert left(host) == []
    host.sh("rm /var/lib/luytre/filler")
    Story(host, "r2", FILE).armed()


def test_a_planted_link_is_no_place_for_the_journal(host):
    host.sh("mkdir -p /tmp/trap; ln -s /tmp/trap /var/lib/luytre")
    told = Story(host, "r1", FILE).begin()
    host.sh("rm /var/lib/luytre")
    assert "not a directory of root" in told["refused"]
    assert host.sh("ls -A /tmp/trap") == ""


def test_strange_names_among_the_runs_hide_no_run(host):
    story = Story(host, "r1", FILE)
    story.armed()
    host.sh("cd /var/lib/luytre/runs; mkdir lost+found .x; touch 'a b'; mkdir -p -- -x empty")
    assert [each["run"] for each in host.ask("status")["result"]["runs"]["known"]] == ["r1"]


def test_what_a_begin_left_that_was_killed_goes_with_the_next_and_nothing_else_does(host):
    host.sh(
        "mkdir -p -m 700 /var/lib/luytre/runs; cd /var/lib/luytre/runs;"
        f" mkdir killed lost+found; echo secret > killed/before.json; ln -s {ROOM} linked"
    )
    story = Story(host, "r1", FILE)
    story.armed()
    assert host.sh("ls /var/lib/luytre/runs").split() == ["linked", "lost+found", "r1"]
    assert host.sh(f"ls {ROOM}").split() == ["dressed", "file"]
    assert story.rollback()["result"]["state"] == "rolled_back"


def test_a_damaged_record_is_told_not_guessed(host):
    story = Story(host, "r1", FILE)
    story.armed()
    host.sh("echo '{' > /var/lib/luytre/runs/r1/run.json")
    assert "run.json" in host.ask("status")["failed"]
    assert "run.json" in story.confirm()["failed"]


def gate(host: Inside, starts: str) -> None:
    """Install a service that starts as the shell says."""
    text = f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c '{starts}'\n"
    host.lab.write(host.name, SERVICE, text.encode())
    host.sh("systemctl daemon-reload; systemctl start probe.service")


RESTARTING = ("file", {**FILE[1], "restart": ["probe.service"]})


def test_a_service_that_the_change_brings_down_runs_again_after_the_way_back(host):
    gate(host, f"grep -q old {ROOM}/file")
    story = Story(host, "r1", RESTARTING)
    story.begin()
    told = story.converge()["result"]
    assert told["state"] == "rolled_back", told
    assert "probe.service" in told["reason"]
    assert host.sh("systemctl is-active probe.service") == "active\n"


def test_one_service_that_fails_keeps_no_other_from_being_reloaded(host):
    """On the way back, SSH must read its files again whatever others say."""
    story = Story(host, "r1", RESTARTING, ("sshd", {"MaxAuthTries": 3}))
    gate(host, "true")
    story.armed()
    host.sh(f"sed -i s,/bin/sh,/nonexistent, {SERVICE}; systemctl daemon-reload")
    journal = "journalctl --sync; journalctl -q -u ssh.service -o cat --no-pager"
    reloads = f"{journal} | grep -c '^Reloaded '"
    before = int(host.sh(reloads))
    told = story.rollback()["result"]
    assert told["state"] == "broken"
    assert "probe.service" in told["reason"]
    assert content(host) == "old\n"
    assert int(host.sh(reloads)) == before + 1
    gate(host, "true")
    assert story.rollback()["result"]["state"] == "rolled_back"


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_converge_that_is_killed_goes_back_at_once(host, signal):
    gate(host, f"grep -q old {ROOM}/file || sleep 100")
    story = Story(host, "r1", RESTARTING)
    story.begin()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(story.converge()))
    thread.start()
    while content(host) != "new\n":
        time.sleep(0.05)
    host.sh(f"systemctl kill --signal={signal} luytre-converge-r1.service")
    thread.join(60)
    assert answers[0]["result"]["state"] == "rolled_back", answers
    assert "without a word" in answers[0]["result"]["reason"]
    assert content(host) == "old\n"
    assert nothing_left(host)


def test_an_operator_can_take_back_what_is_still_converging(host):
    gate(host, f"grep -q old {ROOM}/file || sleep 100")
    story = Story(host, "r1", RESTARTING)
    story.begin()
    thread = threading.Thread(target=story.converge)
    thread.start()
    while content(host) != "new\n":
        time.sleep(0.05)
    told = story.rollback()["result"]
    thread.join(60)
    assert told["state"] == "rolled_back", told
    assert content(host) == "old\n"
    assert nothing_left(host)


def test_a_way_back_that_is_killed_is_taken_on_by_itself(host):
    gate(host, f"grep -q new {ROOM}/file || sleep 3")
    host.sh(f"echo new > {ROOM}/file; systemctl restart probe.service; echo old > {ROOM}/file")
    story = Story(host, "r1", RESTARTING)
    story.window = 1
    story.armed()
    story.ended("rolling_back")
    host.sh("systemctl kill --signal=KILL 'luytre-revert-r1-*.service'")
    assert story.ended("rolled_back", "broken") == "rolled_back"
    assert content(host) == "old\n"


def test_a_reboot_while_armed_takes_back_files_links_and_services(host):
    """What the change had disabled runs again in this very boot; what it enabled does not."""
    install = "\n[Install]\nWantedBy=multi-user.target\n"
    for name in ("off", "on"):
        text = "[Service]\nExecStart=/usr/bin/sleep infinity" + install
        host.lab.write(host.name, f"/etc/systemd/system/probe-{name}.service", text.encode())
    host.sh("systemctl daemon-reload; systemctl -q enable --now probe-off.service")
    units = [
        ("unit", {"name": "probe-off.service", "enabled": False, "active": False}),
        ("unit", {"name": "probe-on.service", "enabled": True, "active": True}),
    ]
    story = Story(host, "r1", FILE, *units, ("sshd", {"MaxAuthTries": 3}))
    story.armed()
    assert host.sh("systemctl is-active probe-off probe-on || true").split() == [
        "inactive",
        "active",
    ]
    host.lab.restart(host.name)
    try:
        assert story.state == "rolled_back", story.read("expired.json")
        assert content(host) == "old\n"
        assert host.sh("sshd -T | grep -i ^maxauthtries") == "maxauthtries 6\n"
        assert nothing_left(host)
        deadline = time.monotonic() + 30
        while host.sh("systemctl is-active probe-off || true") != "active\n":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert host.sh("systemctl is-active probe-on || true") == "inactive\n"
        assert host.sh("systemctl is-system-running --wait || true").strip() == "running"
    finally:
        host.sh(
            "systemctl stop probe-on probe-off; systemctl -q disable probe-on probe-off;"
            " rm /etc/systemd/system/probe-o*.service; systemctl daemon-reload"
        )


def test_a_confirmed_run_survives_a_reboot(host):
    story = Story(host, "r1", FILE)
    story.armed()
    story.confirm()
    host.lab.restart(host.name)
    assert story.state == "confirmed"
    assert content(host) == "new\n"

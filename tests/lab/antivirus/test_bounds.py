"""What looks for malware stays within its bounds, and tells when it ran into them."""

import hashlib
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.change.desk import until

from .conftest import (
    DAEMON,
    FILES,
    MALWARE,
    MIRROR,
    OWN_NDB,
    SMALL,
    USED,
    WEB,
    clamd_answers,
    detected,
    on,
    proof,
    publish,
    signatures,
    states,
    updated,
    verdicts,
    wrapped,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

_PORTAL = "systemd-run --quiet --unit portal python3 -m http.server 8088 --directory /srv"
_V1 = Path("/sys/fs/cgroup/memory")
SERVICES = ("ssh.service", "clamav-freshclam.service", "portal.service")


def test_fault_55_a_reload_that_takes_too_much_memory_ends_clamd_and_no_service(desk, lab):
    shown = on(lab, WEB, f"systemctl show --property=MemoryMax,OOMScoreAdjust {DAEMON}")
    assert "infinity" not in shown
    assert "OOMScoreAdjust=500" in shown
    on(lab, WEB, _PORTAL)
    before = states(lab, WEB, SERVICES)
    digests = (hashlib.sha256(str(n).encode()).hexdigest() for n in range(250_000))
    many = "".join(f"Luytre.Many{n}:0:*:{digest}\n" for n, digest in enumerate(digests))
    publish(desk, ndb=OWN_NDB + many)
    try:
        with little_memory(lab):
            desk.ask("antivirus", "update", "--limit", WEB)
            asked = f"systemctl show --property=MainPID --value {DAEMON}"
            until(lambda: on(lab, WEB, asked).strip() == "0", "clamd is killed", 120)
            assert states(lab, WEB, SERVICES) == before
            assert on(lab, WEB, "ss -Hltn 'sport = :8088'") != ""
            assert verdicts(desk, WEB, "daemon-runs") == {"daemon-runs": "fail"}
            done = desk.ask("antivirus", "status", "--limit", WEB)
            assert done.code == 3
            assert "daemon_down" in done.host(WEB)["lacks"]
    finally:
        publish(desk)
        updated(desk, lab)
    assert proof(desk, WEB)[1] == "found"


@contextmanager
def little_memory(lab):
    """Let clamd have hardly more memory than it has now.

    Where this machine's unified hierarchy has no memory to hand out, a group of the older one
    stands in for the unit's own.
    """
    if "memory" in on(lab, WEB, "cat /sys/fs/cgroup/cgroup.controllers").split():
        on(lab, WEB, f"systemctl set-property --runtime {DAEMON} MemoryMax=30M")
        yield
        drop_in = f"/run/systemd/system.control/{DAEMON}.d/50-MemoryMax.conf"
        on(lab, WEB, f"rm {drop_in}; systemctl daemon-reload")
        return
    group = _V1 / "luytre-fault-55"
    group.mkdir(exist_ok=True)
    try:
        (group / "memory.swappiness").write_text("0")
        # What clamd has already is not counted here, only what it takes from now on.
        (group / "memory.limit_in_bytes").write_text("12000000")
        (group / "cgroup.procs").write_text(str(_pid_outside(lab)))
        yield
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (_V1 / "cgroup.procs").write_text(pid)
        group.rmdir()


def _pid_outside(lab):
    """Return the number that this machine gives to the process of clamd on web."""
    inside = on(lab, WEB, f"systemctl show --property=MainPID --value {DAEMON}").strip()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = status.read_text().splitlines()
        except OSError:
            continue
        numbers = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
        if lines[0].split()[1:] == ["clamd"] and numbers[1:] == [inside]:
            return int(numbers[0])
    raise AssertionError("clamd does not run")


@pytest.mark.parametrize(
    ("host", "program", "words"),
    [
        (SMALL, "/usr/bin/clamscan", ("scan", "--limit", SMALL)),
        (SMALL, "/usr/bin/clamscan", ("prove", "--limit", SMALL)),
        (SMALL, "/usr/bin/freshclam", ("update", "--limit", SMALL)),
        (MIRROR, "/usr/bin/clamscan", ("mirror", "publish", "--replace")),
    ],
)
def test_whatever_loads_signatures_is_bounded(desk, lab, host, program, words):
    seen = "/root/bounded"
    files = signatures(desk) if host == MIRROR else []
    note = f"cat /proc/self/cgroup /proc/self/oom_score_adj > {seen}"
    # Which version it is, it says without signatures.
    script = f'case "$*" in *--version*) ;; *) {note};; esac'
    with wrapped(lab, host, program, script):
        done = desk.ask("antivirus", *words, *files)
    assert done.code in (0, 3), done
    told = on(lab, host, f"cat {seen}")
    assert "/system-luytreantivirus.slice/" in told
    assert told.split()[-1] == "500"
    shown = "systemctl show --property=MemoryMax system-luytreantivirus.slice"
    assert "infinity" not in on(lab, host, shown)


def test_a_scan_whose_scanner_is_killed_is_written_down(desk, lab):
    unit = "luytre-antivirus-scan.service"
    policy = on(lab, SMALL, f"systemctl show --property=OOMPolicy --value {unit}")
    assert policy.strip() == "continue"
    with wrapped(lab, SMALL, "/usr/bin/clamscan", "kill -9 $$"):
        assert desk.ask("antivirus", "scan", "--limit", SMALL).code == 1
        proved = desk.ask("antivirus", "prove", "--limit", SMALL)
        assert proved.host(SMALL)["proof"]["state"] == "failed"
        status = desk.ask("antivirus", "status", "--limit", SMALL).host(SMALL)
    assert status["scan"]["state"] == "failed"
    assert "scan_not_whole" in status["lacks"]
    again = desk.ask("antivirus", "scan", "--limit", SMALL).host(SMALL)
    assert again["scan"]["state"] == "done"
    assert proof(desk, SMALL)[1] == "found"


def test_only_root_and_the_group_of_clamd_may_speak_to_it(desk, lab):
    socket = "/run/clamav/clamd.ctl"
    speak = f"import socket; socket.socket(socket.AF_UNIX).connect('{socket}')"
    code = lab.run(
        WEB, ["setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", speak], check=False
    )
    assert b"PermissionError" in code.stderr
    # Where official signatures are there, systemd makes the socket.
    present = f"{USED}/main.inc {USED}/daily.inc"
    on(lab, WEB, f"touch {present}; systemctl stop {DAEMON}; systemctl start clamav-daemon.socket")
    try:
        assert on(lab, WEB, f"stat -c '%a %U:%G' {socket}").strip() == "660 clamav:clamav"
    finally:
        again = f"systemctl stop clamav-daemon.socket; rm {present}; systemctl start {DAEMON}"
        on(lab, WEB, again)
        clamd_answers(lab)
    assert proof(desk, WEB)[1] == "found"


def test_a_path_without_end_blinds_nobody(desk, lab):
    deep = f"import os; os.chdir('{FILES}'); name = 'd' * 250"
    deep += "\nfor _ in range(40): os.mkdir(name); os.chdir(name)"
    lab.run(WEB, ["python3", "-c", f"{deep}\nopen('x', 'wb').write({MALWARE!r})"])
    try:
        scan = desk.ask("antivirus", "scan", "--limit", WEB).host(WEB)["scan"]
        assert (scan["state"], scan["detections"]) == ("done", 1)
        (alert,) = detected(desk, WEB)
        path = alert["details"]["path"]
        assert path.startswith(f"{FILES}/ddd")
        assert len(path) < 1000
    finally:
        on(lab, WEB, f"cd {FILES}; rm -rf d*")

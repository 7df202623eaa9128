"""Signatures come from the mirror, grow old, break; proofs tell who would find nothing."""

import hashlib
import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.change.desk import until

from .conftest import (
    BOTH,
    FILES,
    MALWARE,
    MIRROR,
    OWN_NDB,
    SMALL,
    WEB,
    detected,
    on,
    publish,
    signatures,
    states,
    verdicts,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

SERVED = "/srv/luytre-signatures/current"
USED = "/var/lib/clamav"
DAEMON = "clamav-daemon.service"
SERVICES = ("ssh.service", "clamav-freshclam.service", "portal.service")
_PORTAL = "systemd-run --quiet --unit portal python3 -m http.server 8088 --directory /srv"
_V1 = Path("/sys/fs/cgroup/memory")


def digests(lab, host, directory):
    return on(lab, host, f"sha256sum {directory}/luytre-own.*")


def updated(desk, lab, limit=BOTH):
    """Let hosts fetch signatures, and clamd read them at once: told, it does in half a minute."""
    done = desk.ask("antivirus", "update", "--limit", limit)
    assert [one["problem"] for one in done.document["hosts"] if one["problem"]] == [], done
    if WEB in limit:
        # Asked in order, it ends in half a minute as well.
        again = f"systemctl stop {DAEMON}; systemctl start {DAEMON}"
        on(lab, WEB, f"systemctl kill --signal=KILL {DAEMON}; {again}")
        listens = "test -S /run/clamav/clamd.ctl && echo yes || true"
        until(lambda: on(lab, WEB, listens), "clamd listens")


def proof(desk, host):
    done = desk.ask("antivirus", "prove", "--limit", host)
    return done.code, done.host(host)["proof"]["state"]


@contextmanager
def stamped(lab, host, line):
    """Let a host's own databases begin with another line."""
    on(
        lab,
        host,
        f"rm -rf /root/kept; cp -a {USED} /root/kept; sed -i '1s/.*/{line}/' {USED}/luytre-own.*",
    )
    try:
        yield
    finally:
        on(lab, host, f"cp -a /root/kept/luytre-own.* {USED}/")


@pytest.mark.parametrize("host", [WEB, SMALL])
def test_fault_53_signatures_older_than_a_week_are_not_compliant_though_the_scanner_works(
    desk, lab, host
):
    moment = int(time.time()) - 8 * 86400
    with stamped(lab, host, f"# luytre-signatures: {moment}"):
        asked = ("signatures", "daemon-runs")
        runs = {WEB: "pass", SMALL: "not_applicable"}[host]
        assert verdicts(desk, host, *asked) == {"signatures": "fail", "daemon-runs": runs}
        done = desk.ask("antivirus", "status", "--limit", host)
        assert done.code == 3
        assert "signatures_old" in done.host(host)["lacks"]
        assert proof(desk, host)[1] == "found"
        (matter,) = [
            one for one in desk.ask("status").document["matters"] if one["concern"] == "signatures"
        ]
        assert matter["command"] == f"luytre antivirus update --limit {host}"
    assert verdicts(desk, host, "signatures") == {"signatures": "pass"}
    mended = desk.ask("antivirus", "status", "--limit", host).host(host)
    assert "signatures_old" not in mended["lacks"]


def test_signatures_that_do_not_say_from_when_they_are_are_an_error(desk, lab):
    with stamped(lab, WEB, "# luytre-signatures: yesterday"):
        assert verdicts(desk, WEB, "signatures") == {"signatures": "error"}
        told = desk.ask("antivirus", "status", "--limit", WEB).host(WEB)
        assert "unreadable" in told["lacks"]
    lab.write(WEB, f"{USED}/daily.cvd", b"no head at all")
    try:
        assert verdicts(desk, WEB, "signatures") == {"signatures": "error"}
    finally:
        on(lab, WEB, f"rm {USED}/daily.cvd")


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("hdb", "no signature\n"),
        ("ndb", "Luytre.Broken:0:*:zz\n"),
        ("yar", "rule broken { condition: \n"),
        # It would find a file that every server has.
        ("ndb", f"Luytre.Everywhere:0:*:{b'PRETTY_NAME'.hex()}\n"),
    ],
)
def test_fault_54_the_mirror_refuses_a_broken_file_and_keeps_the_old_one(
    desk, lab, suffix, content
):
    before = digests(lab, MIRROR, SERVED)
    done = desk.ask("antivirus", "mirror", "publish", *signatures(desk, **{suffix: content}))
    assert done.code == 6, done
    assert f"luytre-own.{suffix}" in done.document["mirrors"][0]["problem"]
    assert digests(lab, MIRROR, SERVED) == before


def test_fault_54_the_mirror_refuses_an_official_file_without_its_signature(desk, lab):
    before = on(lab, MIRROR, f"ls {SERVED}")
    false = desk.directory / "daily.cvd"
    body = b"\x1f\x8b" + b"x" * 100
    whole = hashlib.md5(body).hexdigest()
    head = f"ClamAV-VDB:30 Nov 2026 07-00 +0000:27999:1:90:{whole}:AAAA:nobody:1796000000"
    false.write_bytes(head.encode().ljust(512) + body)
    done = desk.ask("antivirus", "mirror", "publish", str(false))
    assert done.code == 6, done
    assert "integrity" in done.document["mirrors"][0]["problem"]
    assert on(lab, MIRROR, f"ls {SERVED}") == before


def test_fault_54_a_broken_file_on_the_mirror_leaves_the_old_one_in_use_on_servers(desk, lab):
    before = {host: digests(lab, host, USED) for host in (WEB, SMALL)}
    lab.write(MIRROR, f"{SERVED}/luytre-own.hdb", b"broken on the disk\n")
    # HTTP tells times by the second: what came within the same one is not fetched again.
    on(lab, MIRROR, f"touch -d '1 minute' {SERVED}/luytre-own.hdb")
    done = desk.ask("antivirus", "update", "--limit", BOTH)
    assert done.code == 1, done
    for host in (WEB, SMALL):
        assert "freshclam" in done.host(host)["problem"]
        assert digests(lab, host, USED) == before[host]
        assert proof(desk, host)[1] == "found"
    publish(desk)
    updated(desk, lab)


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


@pytest.mark.parametrize("host", [WEB, SMALL])
def test_fault_56_a_server_that_does_not_find_the_test_file_is_not_compliant(desk, lab, host):
    assert proof(desk, host)[1] == "found"
    assert verdicts(desk, host, "proved") == {"proved": "pass"}
    publish(desk, hdb="d41d8cd98f00b204e9800998ecf8427e:7:Luytre.Other\n")
    try:
        updated(desk, lab, host)
        done = desk.ask("antivirus", "prove", "--limit", host)
        assert done.code == 3, done
        assert done.host(host)["proof"]["state"] == "missed"
        assert verdicts(desk, host, "proved") == {"proved": "fail"}
        assert "proof_failed" in done.host(host)["lacks"]
    finally:
        publish(desk)
        updated(desk, lab, host)
    assert proof(desk, host)[1] == "found"


def test_a_proof_leaves_no_test_file_and_its_alert_is_noted_as_ours(desk, lab):
    assert proof(desk, WEB)[1] == "found"
    assert on(lab, WEB, "ls /var/lib/luytre-antivirus").split() == sorted(
        {"proof.json", *on(lab, WEB, "ls /var/lib/luytre-antivirus").split()} - {"proving"}
    )
    told = desk.ask("antivirus", "status", "--limit", WEB).document
    assert told["detections"] == []
    kept = json.loads(on(lab, WEB, "cat /var/lib/luytre-antivirus/proof.json"))
    assert kept["state"] == "found"


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


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_report_tells_how_servers_stand_with_malware(desk, language):
    desk.ask("antivirus", "status", "--limit", BOTH)
    desk.ask("audit", "--limit", BOTH)
    path = desk.directory / f"report-{language}.html"
    done = desk.luytre("--lang", language, "report", "html", "--out", str(path))
    assert done.code == 0, done
    text = path.read_text()
    _before, found, section = text.partition({"en": "VII. Antivirus", "vi": "VII. "}[language])
    assert found
    assert WEB in section.partition("VIII. ")[0]
    assert SMALL in section.partition("VIII. ")[0]

"""A mirror of signatures, a server with clamd, and a small one that scans without it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.change.desk import APPLY, Desk, until
from tests.lab.servers import keep_timers_off

MIRROR, WEB, SMALL = "mirror", "web", "small"
BOTH = f"{WEB},{SMALL}"
FILES = "/srv/files"
SERVED = "/srv/luytre-signatures/current"
USED = "/var/lib/clamav"
DAEMON = "clamav-daemon.service"
# The test file is never written whole: scanners of whoever reads this would find it.
_PARTS = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*")
EICAR = "".join(_PARTS).encode()
OWN_HDB = f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Luytre.TestFile\n"
# Bytes that are no test file, and stand for malware.
MALWARE = b"bamboo-malware-sample"
OWN_NDB = f"Luytre.Sample:0:*:{MALWARE.hex()}\n"
# A socket alone says nothing: that of a clamd that was killed is still there.
_PING = """
import socket
with socket.socket(socket.AF_UNIX) as clamd:
    clamd.settimeout(10)
    clamd.connect("/run/clamav/clamd.ctl")
    clamd.sendall(b"nPING\\n")
    print(clamd.recv(9))
"""
_SMALL_MEMORY = """
sed 's/^MemTotal:.*/MemTotal:        1000000 kB/' /proc/meminfo > /root/meminfo
mount --bind /root/meminfo /proc/meminfo
"""
_SERVER = """
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends clamav nginx > /dev/null
"""
_FILES = f"""
install -d {FILES}
echo 'an honest letter' > {FILES}/letter
"""


@pytest.fixture(autouse=True, scope="session")
def _english() -> Iterator[None]:
    """Messages are compared in one language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        yield


@pytest.fixture(scope="session")
def lab(lab_factory: Callable[[str], Lab]) -> Lab:
    """Three hosts."""
    lab = lab_factory("antivirus")
    lab.up([HostSpec(MIRROR), HostSpec(WEB), HostSpec(SMALL, "trixie")])
    on(lab, SMALL, _SMALL_MEMORY)
    for name in (WEB, SMALL):
        on(lab, name, _FILES)
        keep_timers_off(lab, name, "luytre-antivirus-scan.timer")
    keep_timers_off(lab, MIRROR, "luytre-signatures.timer")
    return lab


@pytest.fixture(scope="session")
def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A workspace whose servers are set up, have signatures, and were audited."""
    desk = Desk(tmp_path_factory.mktemp("antivirus") / "desk", lab)
    address = next(host.address for host in lab.hosts() if host.name == MIRROR)
    desk.declare(
        luytre_admin_sources=["10.213.0.0/16"],
        luytre_services=[],
        luytre_clamav_mirror=f"http://{address}:8080/clamav",
        luytre_antivirus_mirror=MIRROR,
        luytre_antivirus_official=False,
        luytre_antivirus_paths=[FILES],
        luytre_antivirus_quarantine=True,
    )
    desk.settle(profile="cis-level1-server")
    with ThreadPoolExecutor() as beside:
        beside.submit(on, lab, MIRROR, _SERVER, 300)
        applied = desk.ask(*APPLY, "--limit", BOTH, "--chapter", "antivirus")
    assert {one["outcome"] for one in applied.document["hosts"]} == {"confirmed"}, applied
    set_up = desk.ask("antivirus", "setup", "--yes", "--limit", BOTH)
    assert set_up.code == 0, set_up
    publish(desk)
    updated = desk.ask("antivirus", "update", "--limit", BOTH)
    assert [one["problem"] for one in updated.document["hosts"]] == ["", ""], updated
    return desk


def signatures(desk: Desk, **contents: str) -> list[str]:
    """Write files of signatures, by their suffix, and return where; otherwise those of the tests.

    They find the test file (``hdb``) and the sample (``ndb``).
    """
    paths = []
    for suffix, content in (contents or {"hdb": OWN_HDB, "ndb": OWN_NDB}).items():
        path = desk.directory / f"tests.{suffix}"
        path.write_text(content)
        paths.append(str(path))
    return paths


def publish(desk: Desk, **contents: str) -> None:
    """Publish signatures; the mirror must take them."""
    files = signatures(desk, **contents)
    done = desk.ask("antivirus", "mirror", "publish", "--replace", *files)
    assert done.code == 0, done


def verdicts(desk: Desk, host: str, *controls: str) -> dict[str, str]:
    """Return how controls stand on a host, by what follows their chapter."""
    words = [word for one in controls for word in ("--control", f"antivirus-{one}")]
    audit = desk.ask("audit", "--limit", host, *words)
    return {
        one["control"].removeprefix("antivirus-"): one["verdict"]
        for one in audit.host(host)["findings"]
    }


def detected(desk: Desk, host: str) -> list[dict[str, Any]]:
    """Return the open detections of a host, as its status tells them, and note them as seen."""
    told = desk.ask("antivirus", "status", "--limit", host).document["detections"]
    numbers = [str(one["number"]) for one in told]
    if numbers:
        seen = desk.ask("antivirus", "seen", *numbers, "--remark", "a test")
        assert seen.code == 0, seen
    return told


def on(lab: Lab, host: str, script: str, timeout: float = 120) -> str:
    """Return what a script of root says on a host."""
    return lab.run(host, ["sh", "-ec", script], timeout=timeout).stdout.decode(errors="replace")


def states(lab: Lab, host: str, units: Sequence[str]) -> list[str]:
    """Return the process and the state of each unit."""
    told = on(lab, host, f"systemctl show --property=MainPID,ActiveState {' '.join(units)}")
    return told.split()


def digests(lab: Lab, host: str, directory: str) -> str:
    """Return the digests of our own signatures on a host."""
    return on(lab, host, f"sha256sum {directory}/luytre-own.*")


def updated(desk: Desk, lab: Lab, limit: str = BOTH) -> None:
    """Let hosts fetch signatures, and clamd read them at once: told, it does in half a minute."""
    done = desk.ask("antivirus", "update", "--limit", limit)
    assert [one["problem"] for one in done.document["hosts"] if one["problem"]] == [], done
    if WEB in limit:
        # Asked in order, it ends in half a minute as well.
        again = f"systemctl stop {DAEMON}; systemctl start {DAEMON}"
        on(lab, WEB, f"systemctl kill --signal=KILL {DAEMON}; {again}")
        clamd_answers(lab)


def clamd_answers(lab: Lab) -> None:
    """Wait until clamd, which was started, has read its signatures and answers."""
    ping = ["python3", "-c", _PING]
    until(lambda: b"PONG" in lab.run(WEB, ping, check=False).stdout, "clamd answers", 120, 0.3)


def proof(desk: Desk, host: str) -> tuple[int, str]:
    """Let a host prove; return the exit code, and what came of it."""
    done = desk.ask("antivirus", "prove", "--limit", host)
    return done.code, done.host(host)["proof"]["state"]


@contextmanager
def wrapped(lab: Lab, host: str, program: str, script: str) -> Iterator[None]:
    """Let a script run before a program on a host."""
    on(lab, host, f"mv {program} {program}.real")
    lab.write(host, program, f'#!/bin/sh\n{script}\nexec {program}.real "$@"\n'.encode())
    on(lab, host, f"chmod 0755 {program}")
    try:
        yield
    finally:
        on(lab, host, f"mv {program}.real {program}")

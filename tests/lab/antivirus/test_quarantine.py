"""What is taken away, what is left, and what nobody loses by it, with the real scanners."""

import pytest

from .conftest import FILES, MALWARE, SMALL, WEB, detected, on
from .files import change_wish, kept, put, quiet

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200), pytest.mark.usefixtures("quiet")]
__all__ = ["quiet"]

HOSTS = pytest.mark.parametrize("host", [WEB, SMALL])


def scanned(desk, host):
    """Scan; return what came of it."""
    return desk.ask("antivirus", "scan", "--limit", host).host(host)["scan"]


def restore(desk, host, name):
    return desk.ask("antivirus", "quarantine", "restore", name, "--host", host, "--yes")


@HOSTS
def test_files_that_no_scanner_looks_into_are_named_and_stay(desk, lab, host):
    place = put(lab, host, "large.iso")
    packed = put(lab, host, "packed.zip")
    on(lab, host, f"truncate -s 101M {place}")
    zeros = "b'\\\\0' * (90 << 20)"
    code = (
        f"import zipfile; file = zipfile.ZipFile('{packed}', 'w', zipfile.ZIP_DEFLATED);"
        f" [file.writestr(str(n), {zeros}) for n in range(6)];"
        f" file.writestr('bad', {MALWARE!r}); file.close()"
    )
    on(lab, host, f'python3 -c "{code}"')
    scan = scanned(desk, host)
    assert (scan["state"], scan["detections"], scan["too_large"]) == ("done", 0, 2), scan
    assert scan["too_large_paths"] == [place, packed]
    assert detected(desk, host) == []
    on(lab, host, f"test -e {place} && test -e {packed}")
    assert "2 files were too large" in desk.luytre("antivirus", "status", "--limit", host).out


@HOSTS
def test_malware_at_a_very_long_path_is_found(desk, lab, host):
    part = "d" * 100
    script = f"cd {FILES}; for _ in $(seq 12); do mkdir {part}; cd {part}; done; printf '%s' "
    on(lab, host, script + f"'{MALWARE.decode()}' > bad")
    scan = scanned(desk, host)
    assert (scan["state"], scan["detections"]) == ("done", 1), scan


def test_a_lease_hides_no_file(desk, lab):
    place = put(lab, WEB, "held")
    code = (
        f"import fcntl, os, time; file = os.open('{place}', os.O_RDWR);"
        " fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK); time.sleep(300)"
    )
    on(lab, WEB, f'systemd-run --quiet --unit=holder --uid=ops python3 -c "{code}"; sleep 1')
    try:
        assert scanned(desk, WEB)["detections"] == 1
    finally:
        on(lab, WEB, "systemctl stop holder || true; systemctl reset-failed holder || true")


@HOSTS
def test_what_was_taken_is_told_though_the_scan_never_ended(desk, lab, host):
    """A reboot between the taking and the telling leaves no result."""
    place = put(lab, host, "night.doc")
    on(lab, host, "systemctl start luytre-antivirus-scan.service")
    on(lab, host, "cd /var/lib/luytre-antivirus/results; rm $(ls | tail -n 1)")
    (alert,) = detected(desk, host)
    (file,) = kept(desk, host)
    assert (alert["details"]["path"], alert["details"]["quarantine"]) == (place, file["name"])
    shown = desk.luytre("antivirus", "status", "--limit", host).out
    assert f"1 file in its quarantine: luytre antivirus quarantine list --limit {host}" in shown


@HOSTS
def test_a_false_alarm_that_was_brought_back_is_not_taken_again(desk, lab, host):
    place = put(lab, host, "tool")
    scanned(desk, host)
    (file,) = kept(desk, host)
    detected(desk, host)
    done = restore(desk, host, file["name"])
    assert done.code == 0, done
    assert scanned(desk, host)["detections"] == 1
    (again,) = detected(desk, host)
    assert again["details"]["left"] == "it was brought back before"
    assert on(lab, host, f"cat {place}") == MALWARE.decode()


def test_databases_stay_wherever_they_lie_and_web_shells_do_not(desk, lab):
    on(
        lab,
        WEB,
        f"install -d -o ops {FILES}/pg/base/5 {FILES}/html/new; echo 15 > {FILES}/pg/PG_VERSION",
    )
    table, shell = put(lab, WEB, "pg/base/5/2619"), put(lab, WEB, "html/new/shell.php")
    scanned(desk, WEB)
    told = {one["details"]["path"]: one["details"] for one in detected(desk, WEB)}
    assert told[table]["left"] == "left alone: a database, mail, or a repository"
    assert told[shell]["quarantine"] != ""
    on(lab, WEB, f"test -e {table} && ! test -e {shell}")


def test_the_signatures_that_we_serve_are_not_scanned(desk, lab):
    served = "/srv/luytre-signatures/current"
    on(lab, WEB, f"install -d {served}; printf '{MALWARE.decode()}' > {served}/luytre-own.yar")
    change_wish(lab, WEB, paths=["/srv"])
    try:
        assert scanned(desk, WEB)["detections"] == 0
    finally:
        change_wish(lab, WEB, paths=[FILES])
        on(lab, WEB, "rm -r /srv/luytre-signatures")


def test_an_intruder_who_watches_a_restore_gets_nothing_of_roots(desk, lab):
    """He owns the directory, and links every name that appears there to a file of root's."""
    on(lab, WEB, f"install -d -o ops {FILES}/ops; install -m 600 /dev/null {FILES}/secret")
    place = put(lab, WEB, "ops/bad", MALWARE + b"x" * (20 << 20))
    scanned(desk, WEB)
    (file,) = kept(desk, WEB)
    swap = (
        "import os\n"
        f"os.chdir('{FILES}/ops')\n"
        "while True:\n"
        "    for name in os.listdir('.'):\n"
        "        if name != 'bad':\n"
        "            try:\n"
        f"                os.unlink(name); os.symlink('{FILES}/secret', name)\n"
        "            except OSError: pass\n"
    )
    lab.write(WEB, "/tmp/swap.py", swap.encode())
    on(lab, WEB, "systemd-run --quiet --unit=intruder --uid=ops python3 /tmp/swap.py; sleep 1")
    try:
        done = restore(desk, WEB, file["name"])
    finally:
        on(lab, WEB, "systemctl stop intruder")
    assert done.code == 0, done
    assert on(lab, WEB, f"stat -c %h {FILES}/secret").strip() == "1"
    assert on(lab, WEB, f"ls -A {FILES}/ops; head -c {len(MALWARE)} {place}").split() == [
        "bad",
        MALWARE.decode(),
    ]

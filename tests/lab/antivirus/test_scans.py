"""Scans find malware, tell it here, take it away, and bring back what was taken wrongly."""

import pytest

from .conftest import BOTH, EICAR, FILES, MALWARE, SMALL, WEB, detected, on, verdicts
from .files import change_wish, kept, put, quiet

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200), pytest.mark.usefixtures("quiet")]
__all__ = ["quiet"]


def look(lab, host, place):
    """Return what a restore must bring back."""
    attribute = f"import os; print(os.getxattr('{place}', 'user.origin'))"
    script = f"stat -c '%U %G %a %y' {place}; sha256sum {place}; python3 -c \"{attribute}\""
    return on(lab, host, script)


def test_only_a_server_with_enough_memory_keeps_clamd_running(desk, lab):
    asked = ("installed", "daemon", "daemon-runs", "small-server", "signatures", "own-signatures")
    assert verdicts(desk, WEB, *asked) == {
        **dict.fromkeys(asked, "pass"),
        "small-server": "not_applicable",
    }
    assert verdicts(desk, SMALL, *asked) == {
        **dict.fromkeys(asked, "pass"),
        "daemon": "not_applicable",
        "daemon-runs": "not_applicable",
    }
    assert on(lab, SMALL, "test -e /usr/sbin/clamd || echo none").strip() == "none"


@pytest.mark.parametrize("host", [WEB, SMALL])
def test_what_the_scan_finds_is_told_here_taken_away_and_comes_back_as_it_was(desk, lab, host):
    place = put(lab, host, "invoice.doc")
    on(lab, host, f"python3 -c \"import os; os.setxattr('{place}', 'user.origin', b'mail')\"")
    before = look(lab, host, place)

    done = desk.ask("antivirus", "scan", "--limit", host)
    assert done.code == 3, done
    (standing,) = done.document["hosts"]
    assert standing["scan"]["engine"] == {WEB: "clamd", SMALL: "clamscan"}[host]
    assert (standing["scan"]["state"], standing["scan"]["files"]) == ("done", 2)
    (alert,) = detected(desk, host)
    assert (alert["host"], alert["kind"], alert["severity"]) == (host, "malware", "critical")
    assert alert["details"]["path"] == place
    assert "Luytre.Sample" in alert["summary"]
    assert "gone" in on(lab, host, f"test -e {place} || echo gone")
    assert verdicts(desk, host, "clean", "scanned") == {"clean": "pass", "scanned": "pass"}

    (file,) = kept(desk, host)
    assert (file["path"], file["name"]) == (place, alert["details"]["quarantine"])
    restore = ("antivirus", "quarantine", "restore", file["name"], "--host", host, "--yes")
    lab.write(host, place, b"somebody's own file")
    refused = desk.ask(*restore)
    assert refused.code == 1
    assert "something else is there" in refused.document["files"][0]["problem"]
    assert on(lab, host, f"cat {place}") == "somebody's own file"
    on(lab, host, f"rm {place}")
    assert desk.ask(*restore).code == 0
    assert look(lab, host, place) == before
    assert kept(desk, host) == []
    logged = desk.ask("log", "show").out
    assert "quarantine restore" in logged
    assert place in logged


@pytest.mark.parametrize("host", [WEB, SMALL])
def test_names_that_lie_mislead_nobody(desk, lab, host):
    change_wish(lab, host, quarantine=False)
    lie = f"a\n{FILES}/letter: Luytre.Lie FOUND"
    shown = "b\x1b[31m\udcff"
    for name in (lie, shown):
        code = f"import sys; open({FILES + '/x'!r}, 'wb').write({MALWARE!r})"
        code += f"; import os; os.makedirs(os.path.dirname({FILES + '/' + name!r}), exist_ok=True)"
        code += f"; os.rename({FILES + '/x'!r}, os.fsencode({FILES + '/' + name!r}))"
        lab.run(host, ["python3", "-c", code.encode("ascii", "backslashreplace").decode()])
    try:
        done = desk.ask("antivirus", "scan", "--limit", host)
        assert done.document["hosts"][0]["scan"]["detections"] == 2, done
        paths = sorted(one["details"]["path"] for one in detected(desk, host))
        assert paths == [f"{FILES}/{lie}", f"{FILES}/b\x1b[31m\\xff"]
        assert verdicts(desk, host, "clean") == {"clean": "fail"}
    finally:
        change_wish(lab, host, quarantine=True)


def test_a_path_that_does_not_exist_is_an_error_of_that_host_and_the_others_go_on(desk, lab):
    change_wish(lab, SMALL, paths=["/srv/gone", FILES])
    put(lab, SMALL, "found.doc")
    try:
        done = desk.ask("antivirus", "scan", "--limit", BOTH)
    finally:
        change_wish(lab, SMALL, paths=[FILES])
    assert done.code == 1
    assert done.host(WEB)["scan"]["state"] == "done"
    scan = done.host(SMALL)["scan"]
    assert (scan["state"], scan["detections"]) == ("partial", 1)
    assert scan["problems"] == [["/srv/gone", "No such file or directory"]]


def test_a_restore_follows_no_link_that_somebody_put_in_the_way(desk, lab):
    on(lab, WEB, f"install -d -o ops {FILES}/ops")
    put(lab, WEB, "ops/passwd")
    desk.ask("antivirus", "scan", "--limit", WEB)
    (file,) = kept(desk, WEB)
    on(lab, WEB, f"rmdir {FILES}/ops; install -d /srv/elsewhere; ln -s /srv/elsewhere {FILES}/ops")
    words = ("antivirus", "quarantine", "restore", file["name"], "--host", WEB, "--yes")
    refused = desk.ask(*words)
    assert refused.code == 1, refused
    assert on(lab, WEB, "ls /srv/elsewhere") == ""
    assert [one["name"] for one in kept(desk, WEB)] == [file["name"]]


def test_databases_and_mail_are_told_and_left_alone(desk, lab):
    place = put(lab, WEB, "app.sqlite")
    desk.ask("antivirus", "scan", "--limit", WEB)
    (alert,) = detected(desk, WEB)
    assert "left alone" in alert["details"]["left"]
    assert on(lab, WEB, f"cat {place}") == MALWARE.decode()


def test_what_the_night_found_arrives_with_the_next_status(desk, lab):
    timer = "luytre-antivirus-scan.timer"
    assert on(lab, WEB, f"systemctl is-active {timer}; systemctl is-enabled {timer}").split() == [
        "active",
        "enabled",
    ]
    put(lab, WEB, "night.doc", EICAR)
    on(lab, WEB, "systemctl start luytre-antivirus-scan.service")
    quiet = desk.ask("status").document["matters"]
    assert "malware" not in [one["concern"] for one in quiet]
    status = desk.ask("antivirus", "status", "--limit", BOTH)
    assert status.code == 3
    assert [one["details"]["path"] for one in status.document["detections"]] == [
        f"{FILES}/night.doc"
    ]
    assert desk.ask("antivirus", "status", "--limit", BOTH).document["detections"] != []
    (malware,) = [one for one in _audited(desk).document["matters"] if one["concern"] == "malware"]
    assert (malware["hosts"], malware["command"]) == (
        [WEB],
        f"luytre antivirus status --limit {WEB}",
    )


def _audited(desk):
    desk.ask("audit", "--limit", BOTH, "--chapter", "antivirus")
    return desk.ask("status")

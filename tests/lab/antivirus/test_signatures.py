"""Signatures come from the mirror and grow old; proofs tell who would find nothing."""

import json
import time
from contextlib import contextmanager

import pytest

from .conftest import BOTH, SMALL, USED, WEB, on, proof, publish, updated, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


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

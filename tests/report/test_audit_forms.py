"""Audits for spreadsheets, CI servers and scanners: whole, harmless, in the standards' own form."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.finding import HostAudit, Mark, Reach, Verdict
from orchestrator.report import audit_csv, audit_junit, audit_sarif
from tests.report import samples

# The standard's own schema, as OASIS publishes it.
SARIF = json.loads(Path(__file__).with_name("sarif-2.1.0.schema.json").read_text())
CONTROLS = {made.id: made for made in map(samples.control, range(200))}
HOSTILE = [samples.HOSTILE, "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "]]>", "\x00\x0b\ud800"]


def rows(audits, unmanaged=()):
    text = audit_csv.render(audits, CONTROLS, unmanaged, "en")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:]), strict=True))


def one(text):
    made = samples.finding("web1", next(iter(CONTROLS)), Verdict.FAIL)
    return [HostAudit("web1", Reach.ANSWERED, (samples.observed(made, text),))]


def known(audits):
    """Return the audits with control ids of CONTROLS."""
    return [
        HostAudit(a.host, a.reach, tuple(f for f in a.findings if f.control in CONTROLS), a.failure)
        for a in audits
    ]


def test_a_spreadsheet_holds_every_finding_every_lost_host_and_every_unmanaged_one():
    audits = known(samples.province(30))
    told = rows(audits, ["win-1"])
    findings = sum(len(audit.findings) for audit in audits)
    lost = [audit for audit in audits if audit.reach is not Reach.ANSWERED]
    assert findings
    assert lost
    assert len(told) == findings + len(lost) + 1
    assert {row["host"] for row in told if row["reach"] == "unmanaged"} == {"win-1"}
    assert all(row["observed"] for row in told if row["reach"] == "unreachable")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_host_says_starts_no_formula_and_breaks_no_line(text):
    (row,) = rows(one(text))
    assert row["observed"].isprintable()
    assert not row["observed"].startswith(("=", "+", "-", "@", "＝"))
    assert ";=" not in row["observed"]
    assert ';"=' not in row["observed"]


@given(st.text())
def test_any_answer_of_a_host_fits_every_form(text):
    audits = one(text)
    assert len(rows(audits)) == 1
    ElementTree.fromstring(audit_junit.render(audits, CONTROLS, "en"))
    json.dumps(audit_sarif.document(audits, CONTROLS, "r1", "en"))


def test_ci_servers_count_failures_errors_and_skipped_cases():
    failing = samples.finding("web1", "control-001", Verdict.FAIL)
    waived = samples.finding("web1", "control-002", Verdict.FAIL, marks=frozenset({Mark.WAIVED}))
    others = [Verdict.PASS, Verdict.ERROR, Verdict.NOT_APPLICABLE, Verdict.NOT_CHECKED]
    judged = [samples.finding("web1", f"control-{n:03d}", v) for n, v in enumerate(others, 3)]
    audits = [
        HostAudit("web1", Reach.ANSWERED, (failing, waived, *judged)),
        HostAudit("web2", Reach.UNREACHABLE, failure="no route to host"),
    ]
    root = ElementTree.fromstring(audit_junit.render(audits, CONTROLS, "en"))
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "1", "errors": "2", "skipped": "3"}
    (lost,) = root.findall("testsuite[@name='web2']/testcase/error")
    assert lost.get("message") == "no route to host"
    (failure,) = root.iter("failure")
    assert "PermitRootLogin yes" in failure.get("message", "")


def test_sarif_is_valid_and_tells_waived_findings_and_lost_hosts():
    waived = samples.finding("web1", "control-002", Verdict.FAIL, marks=frozenset({Mark.WAIVED}))
    audits = [*known(samples.province(30)), HostAudit("w", Reach.ANSWERED, (waived,))]
    told = audit_sarif.document(audits, CONTROLS, "r1", "vi")
    jsonschema.validate(told, SARIF)
    (run,) = told["runs"]
    assert len(run["results"]) == sum(len(audit.findings) for audit in audits)
    assert run["results"][-1]["suppressions"] == [{"kind": "external", "status": "accepted"}]
    lost = [audit for audit in audits if audit.reach is not Reach.ANSWERED]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(lost) > 0
    assert run["invocations"][0]["executionSuccessful"] is False


def test_sarif_gives_a_level_to_failures_only():
    kinds = [samples.finding("web1", f"control-{n:03d}", v) for n, v in enumerate(Verdict)]
    audits = [HostAudit("web1", Reach.ANSWERED, tuple(kinds))]
    told = audit_sarif.document(audits, CONTROLS, "r1", "en")
    jsonschema.validate(told, SARIF)
    levels = {result["kind"]: result["level"] for result in told["runs"][0]["results"]}
    assert levels == {
        "pass": "none",
        "fail": "error",
        "open": "none",
        "notApplicable": "none",
        "review": "none",
    }

"""An audit as SARIF 2.1.0 (OASIS), the form that code and security scanners exchange."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from orchestrator import __version__
from orchestrator.model.control import Control
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Severity, Verdict
from orchestrator.model.text import visible

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

# SARIF 2.1.0, 3.27.9: what a result says; "open": the tool could not decide.
_KINDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.ERROR: "open",
    Verdict.NOT_APPLICABLE: "notApplicable",
    Verdict.NOT_CHECKED: "review",
}
# 3.27.10: any other kind than "fail" has the level "none".
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}


def document(
    audits: Sequence[HostAudit], controls: Mapping[str, Control], run: str, language: str
) -> dict[str, Any]:
    """Return the audit of a fleet as a SARIF log: a rule per control, a result per finding.

    A host that could not be audited is an error notification of the invocation, never silence.
    """
    judged = {finding.control for audit in audits for finding in audit.findings}
    rules = [control for control in controls.values() if control.id in judged]
    index = {control.id: number for number, control in enumerate(rules)}
    lost = [audit for audit in audits if audit.reach is not Reach.ANSWERED]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "luytre",
                        "semanticVersion": __version__,
                        "rules": [_rule(control, language) for control in rules],
                    }
                },
                "automationDetails": {"id": f"luytre/audit/{run}"},
                "invocations": [
                    {
                        "executionSuccessful": not lost,
                        "toolExecutionNotifications": [_notification(audit) for audit in lost],
                    }
                ],
                "results": [
                    _result(finding, controls[finding.control], index[finding.control], language)
                    for audit in audits
                    for finding in audit.findings
                ],
            }
        ],
    }


def _rule(control: Control, language: str) -> dict[str, Any]:
    references = [f"{name}:{item}" for name, items in control.refs.items() for item in items]
    return {
        "id": control.id,
        "shortDescription": {"text": control.title.in_language(language)},
        "fullDescription": {"text": control.why.in_language(language)},
        "defaultConfiguration": {"level": _LEVELS[control.severity]},
        "properties": {"tags": [control.chapter, *references], "severity": control.severity.value},
    }


def _result(finding: Finding, control: Control, index: int, language: str) -> dict[str, Any]:
    failed = finding.verdict is Verdict.FAIL
    told = f"{control.title.in_language(language)}: {visible(finding.observed)}"
    result: dict[str, Any] = {
        "ruleId": control.id,
        "ruleIndex": index,
        "kind": _KINDS[finding.verdict],
        "level": _LEVELS[finding.severity] if failed else "none",
        "message": {"text": told},
        "locations": [_location(finding.host)],
        "partialFingerprints": {"hostAndControl/v1": _fingerprint(finding)},
        "properties": {
            "expected": visible(finding.expected),
            "observed": visible(finding.observed),
            "marks": sorted(mark.value for mark in finding.marks),
        },
    }
    if Mark.WAIVED in finding.marks:
        result["suppressions"] = [{"kind": "external", "status": "accepted"}]
    return result


def _notification(audit: HostAudit) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": visible(f"{audit.host}: {audit.reach.value}: {audit.failure}")},
        "locations": [_location(audit.host)],
    }


def _location(host: str) -> dict[str, Any]:
    """Return where a result is: the host, also as the artifact that many viewers insist on."""
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(host, safe="")}},
        "logicalLocations": [{"name": visible(host), "kind": "resource"}],
    }


def _fingerprint(finding: Finding) -> str:
    return hashlib.sha256(f"{finding.host}\0{finding.control}".encode()).hexdigest()

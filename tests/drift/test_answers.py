"""What a host answers is never trusted: whatever it says, its audit fails alone and plainly."""

import pytest

from orchestrator.drift.audit import findings_of
from orchestrator.model.errors import AgentError
from orchestrator.model.finding import Verdict
from orchestrator.model.manifest import Manifest


@pytest.fixture
def manifest():
    controls = [{"id": "ssh-root-login", "severity": "high", "desired": []}]
    return Manifest.of({"host": "web1", "controls": controls})


def told(**changes):
    state = {"kind": "sshd", "verdict": "pass", "expected": "no", "observed": "no", "detail": ""}
    return {"control": "ssh-root-login", "verdict": "pass", "states": [state], **changes}


def test_an_honest_answer_becomes_findings(manifest):
    (finding,) = findings_of("web1", manifest, {"findings": [told()]})
    assert (finding.verdict, finding.expected, finding.observed) == (Verdict.PASS, "no", "no")


@pytest.mark.parametrize(
    "changes",
    [
        {"control": ["ssh-root-login"]},
        {"control": {}},
        {"verdict": "fine"},
        {"verdict": ["pass"]},
        {"states": None},
        {"states": ["pass"]},
        {"states": [None]},
        {"states": [{"verdict": "pass"}]},
        {"states": [{"kind": "sshd", "verdict": "perfect"}]},
        {"states": [{"kind": "sshd", "verdict": {}}]},
        {"states": [{"kind": "sshd", "verdict": "pass", "observed": 1}]},
    ],
)
def test_a_malformed_finding_fails_the_audit_of_that_host(manifest, changes):
    with pytest.raises(AgentError, match="web1: the answer is malformed"):
        findings_of("web1", manifest, {"findings": [told(**changes)]})


@pytest.mark.parametrize("findings", [[], [told(control="ssh-other")]])
def test_a_control_that_the_host_does_not_speak_of_is_an_error(manifest, findings):
    (finding,) = findings_of("web1", manifest, {"findings": findings})
    assert finding.verdict is Verdict.ERROR

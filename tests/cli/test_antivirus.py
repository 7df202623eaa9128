"""``luytre antivirus``: what the audit log keeps of what servers were asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.antivirus import _in_log
from orchestrator.model.antivirus import (
    Proof,
    ProofState,
    Scan,
    ScanState,
    SignatureDatabase,
    Standing,
)
from orchestrator.model.errors import UnreachableError

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SIGNATURES = SignatureDatabase("daily.cvd", False, "27999", NOW)
SCAN = Scan(ScanState.PARTIAL, "clamd", NOW, NOW, 10, 100, 0, 0)
PROOF = Proof(ProofState.MISSED, NOW - timedelta(days=2))


def standing(problem: str = "") -> Standing:
    return Standing("web1", "1.4.3", "", False, (SIGNATURES,), "", SCAN, PROOF, 0, problem)


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("update", "signatures of 2026-11-30T08:00:00+00:00"),
        ("scan", "partial"),
        ("prove", "missed"),
    ],
)
def test_the_log_tells_what_was_done_and_not_what_was_before(verb: str, told: str) -> None:
    assert _in_log(standing(), verb) == told
    assert _in_log(standing("a scan goes on"), verb) == "a scan goes on"
    assert _in_log(UnreachableError("web1", "no route"), verb) == "no route"

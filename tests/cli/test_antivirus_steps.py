"""The command to go on with about malware: one that helps, and none where nothing is to be done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.views import antivirus_steps, antivirus_view
from orchestrator.cli.views.output import console
from orchestrator.model.alert import Alert, AlertKind, KeptAlert
from orchestrator.model.antivirus import (
    Proof,
    ProofState,
    Scan,
    ScanState,
    SignatureDatabase,
    Standing,
)
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.finding import Severity
from orchestrator.protect.antivirus.mirror import Served
from orchestrator.protect.antivirus.set_up import Left

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)
DAILY = SignatureDatabase("daily.cvd", False, "1", NOW)
OLD = replace(DAILY, built=LONG_AGO)
OWN = SignatureDatabase("luytre-own.hdb", True, "", NOW)
SCAN = Scan(ScanState.DONE, "clamd", NOW, NOW, 10, 100, 0, 0)
PROOF = Proof(ProofState.FOUND, NOW)
WELL = Standing("web1", "1.4.3", "active", False, (DAILY,), "", SCAN, PROOF, 0)
MIRROR = Served("mirror1", (DAILY,), (), {}, "")


def after(asked: str, *found: Standing | HostError, mirrored: bool = True) -> str:
    return antivirus_steps.after_answers(found, (), asked, (None, mirrored), NOW)


@pytest.mark.parametrize("asked", ["status", "scan", "update", "prove"])
def test_where_all_is_well_nothing_follows(asked: str) -> None:
    kept = replace(WELL, quarantined=3)
    assert after(asked, WELL, kept, AgentError("web2", "no answer")) == ""


@pytest.mark.parametrize(
    ("asked", "changed", "step"),
    [
        ("status", {"databases": (OLD,)}, "luytre antivirus update --limit web1"),
        ("prove", {"databases": (), "proof": None}, "luytre antivirus update --limit web1"),
        ("update", {"databases": (OLD,)}, "luytre antivirus mirror status --limit web1"),
        ("update", {"problem": "freshclam"}, "luytre antivirus mirror status --limit web1"),
        ("status", {"daemon": "failed"}, "luytre antivirus update --limit web1"),
        ("update", {"daemon": "activating"}, ""),
        ("update", {"proof": None, "scan": None}, "luytre antivirus prove --limit web1"),
        ("status", {"proof": replace(PROOF, at=LONG_AGO)}, "luytre antivirus prove --limit web1"),
        ("prove", {"proof": replace(PROOF, state=ProofState.MISSED)}, ""),
        ("prove", {"scan": None}, "luytre antivirus scan --limit web1"),
        ("scan", {"scan": replace(SCAN, state=ScanState.PARTIAL)}, ""),
    ],
)
def test_what_helps_against_what_is_wanting_follows(
    asked: str, changed: dict[str, object], step: str
) -> None:
    assert after(asked, WELL, replace(WELL, **changed)) == step  # type: ignore[arg-type]


def test_where_signatures_come_from_elsewhere_no_mirror_is_asked() -> None:
    assert after("update", replace(WELL, databases=(OLD,)), mirrored=False) == ""


def test_many_hosts_are_named_by_the_limit_that_there_was() -> None:
    many = [replace(WELL, host=f"web{n}", proof=None) for n in range(9)]
    for limit, step in (("web", "luytre antivirus prove --limit web"), (None, "antivirus prove")):
        asked = (limit, True)
        assert antivirus_steps.after_answers(many, (), "status", asked, NOW).endswith(step)


def detection(host: str, quarantine: str) -> KeptAlert:
    details = {"quarantine": quarantine, "left": ""}
    alert = Alert(host, host, AlertKind.MALWARE, Severity.CRITICAL, NOW, "scan", "Bad: /x", details)
    return KeptAlert(7, alert, NOW)


@pytest.mark.parametrize(
    ("detections", "step"),
    [
        (
            [detection("web1", "0" * 16), detection("web2", "")],
            "luytre antivirus quarantine list --limit web1",
        ),
        ([detection("web2", "")], ""),
    ],
)
def test_who_has_detections_to_look_at_looks_into_the_quarantine_first(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    detections: Sequence[KeptAlert],
    step: str,
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    wanting = replace(WELL, proof=None, quarantined=1)
    found = antivirus_steps.after_answers([wanting], detections, "scan", (None, True), NOW)
    assert found == step
    console(False).print(antivirus_view.render([wanting], detections, NOW, found))
    *before, last = capsys.readouterr().out.splitlines()
    assert last == "after you looked: luytre antivirus seen NUMBER --remark TEXT"
    assert (f"next: {step}" in before) is bool(step)
    assert sum("quarantine list" in told for told in before) == 1


@pytest.mark.parametrize(
    ("mirror", "scanner", "step"),
    [
        (Left("mirror1", "mirror", "", True), Left("web1", "scanner"), "mirror publish FILE…"),
        (Left("mirror1", "mirror"), Left("web1", "scanner"), "update"),
        (Left("mirror1", "mirror"), Left("web1", "scanner", "no room"), ""),
    ],
)
def test_a_set_up_is_followed_by_signatures(mirror: Left, scanner: Left, step: str) -> None:
    wanted = f"luytre antivirus {step}" if step else ""
    assert antivirus_steps.after_set_up([mirror, scanner], None) == wanted


def test_what_follows_keeps_the_limit() -> None:
    left = [Left("mirror1", "mirror", "", True)]
    step = "luytre antivirus mirror publish --limit web FILE…"
    assert antivirus_steps.after_set_up(left, "web") == step


@pytest.mark.parametrize(
    ("changed", "published", "looked"),
    [
        ({}, "update", ""),
        ({"problem": "center.hdb: malformed"}, "", ""),
        ({"unanswered": "Connection refused"}, "setup", "setup"),
        ({"unreadable": ("daily.cvd: no head",)}, "", "mirror publish FILE…"),
        ({"databases": (OLD, OWN)}, "update", "mirror publish FILE…"),
        ({"databases": (OWN,), "counts": {OWN.name: (0, 0)}}, "update", "mirror publish FILE…"),
        ({"databases": (OWN,), "counts": {OWN.name: (0, 2)}}, "update", ""),
    ],
)
def test_a_mirror_is_mended_or_asked(
    changed: dict[str, object], published: str, looked: str
) -> None:
    one = replace(MIRROR, **changed)  # type: ignore[arg-type]
    for found, step in (
        (antivirus_steps.after_publication([one], None), published),
        (antivirus_steps.after_mirror_status([one], None, NOW), looked),
    ):
        assert found == (f"luytre antivirus {step}" if step else "")


def test_a_host_that_was_never_set_up_is_told_how(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    lost = AgentError("web1", "the antivirus is not set up", hint="luytre antivirus setup")
    console(False).print(antivirus_view.render([lost], [], NOW))
    told = capsys.readouterr().out
    assert "web1: the antivirus is not set up" in told
    assert "→ luytre antivirus setup" in told

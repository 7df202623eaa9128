"""What people see of servers and malware beside what is wanting."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from orchestrator.cli.views import antivirus_view
from orchestrator.cli.views.cells import local_time
from orchestrator.model.antivirus import Proof, ProofState, Scan, ScanState, Standing
from orchestrator.protect.antivirus.quarantine import Moved

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def shown(found: object, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(found)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_files_that_were_too_large_and_what_is_kept_are_told() -> None:
    scan = Scan(
        ScanState.DONE, "clamd", NOW, NOW, 10, 100, 30, 0, too_large_paths=("/srv/a.iso", "/srv/b")
    )
    one = Standing("web1", "1.4.3", "active", False, (), "", scan, None, 3)
    told = shown(antivirus_view.render([one], [], NOW))
    large = "web1: 30 files were too large to scan, themselves or unpacked: /srv/a.iso, /srv/b, …"
    assert large in told
    command = "luytre antivirus quarantine list --limit web1"
    assert f"web1: 3 files in its quarantine: {command}" in told


def test_a_server_with_neither_is_told_of_with_its_row_alone() -> None:
    scan = Scan(ScanState.DONE, "clamd", NOW, NOW, 10, 100, 0, 0)
    one = Standing("web1", "1.4.3", "active", False, (), "", scan, None, 0)
    told = shown(antivirus_view.render([one], [], NOW))
    assert "too large" not in told
    assert "quarantine" not in told


@pytest.mark.parametrize(
    ("state", "why", "told"),
    [
        (ProofState.MISSED, "", "the test file was not found"),
        (ProofState.FAILED, "clamd: gone", "the test file was not found: clamd: gone"),
    ],
)
def test_what_an_older_proof_said_is_told_with_its_time(
    state: ProofState, why: str, told: str
) -> None:
    at = NOW - timedelta(days=2)
    one = Standing("web1", "1.4.3", "", False, (), "", None, Proof(state, at, why=why), 0)
    lines = shown(antivirus_view.render([one], [], NOW)).splitlines()
    of_the_proof = [line for line in lines if "test file" in line or "clamd" in line]
    assert of_the_proof == [f"web1: the proof of {local_time(at)}: {told}"]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_host_and_day_of_the_proof_are_seen_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", language)
    proof = Proof(ProofState.MISSED, NOW - timedelta(days=2))
    scan = Scan(ScanState.PARTIAL, "clamd", NOW, NOW, 48210, 100, 0, 0)
    one = Standing("web1.culture", "1.4.3", "", False, (), "", scan, proof, 0)
    row = shown(antivirus_view.render([one], [], NOW), 80).partition("web1.culture:")[0]
    assert "web1.culture" in row
    assert "2026-11-28" in row


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (Moved("web1", "0" * 16, "/srv/a", back=True), True),
        (Moved("web1", "0" * 16, problem="no", back=True), False),
        (Moved("web1", "0" * 16, "/srv/a"), False),
    ],
)
def test_who_brings_a_file_back_learns_how_it_is_left_out(moved: Moved, told: bool) -> None:
    assert ("luytre_antivirus_excludes" in shown(antivirus_view.render_moved([moved]))) is told

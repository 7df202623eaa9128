"""What people see of servers and malware beside what is wanting."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from orchestrator.cli.views import antivirus_view
from orchestrator.model.antivirus import Scan, ScanState, Standing
from orchestrator.protect.antivirus.quarantine import Moved

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def shown(found: object) -> str:
    console = Console(file=io.StringIO(), width=200)
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
    ("moved", "told"),
    [
        (Moved("web1", "0" * 16, "/srv/a", back=True), True),
        (Moved("web1", "0" * 16, problem="no", back=True), False),
        (Moved("web1", "0" * 16, "/srv/a"), False),
    ],
)
def test_who_brings_a_file_back_learns_how_it_is_left_out(moved: Moved, told: bool) -> None:
    assert ("luytre_antivirus_excludes" in shown(antivirus_view.render_moved([moved]))) is told

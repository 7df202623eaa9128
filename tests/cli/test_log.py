"""``luytre log``: who did what, readable."""

from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load


@pytest.fixture
def log(new_workspace: Path) -> None:
    """Stand in a workspace whose log has one entry."""
    workspace = load(new_workspace)
    workspace.prepare_state()
    detail = {
        "run": "20261123T191300Z-048213",
        "note": "",
        "status": "done",
        "hosts": {"web1": "confirmed", "web2": "rolled_back"},
        "old": ["a", 1],
        "evidence": "0123456789abcdef" * 4,
    }
    with Store.open(workspace.store_file) as store:
        store.log.append("Trần Thị Bình", "apply ended", detail)


@pytest.mark.usefixtures("log")
def test_the_details_of_an_entry_are_words_not_json(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["log", "show"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for pair in (
        "run 20261123T191300Z-048213",
        "status done",
        "hosts (web1 confirmed, web2 rolled_back)",
        "old a 1",
        "evidence 0123456789abcdef…",
    ):
        assert pair in told
    assert not set('{}[]"') & set(told)
    assert "note" not in told


@pytest.mark.usefixtures("log")
def test_the_chain_alone_is_verified_without_asking_anybody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert run(["log", "verify"]) == 0
    assert capsys.readouterr().out.startswith("1 entry; head ")

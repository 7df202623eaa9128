"""Making a workspace."""

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.workspace.directory import load


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)


def test_init_makes_a_workspace_and_tells_the_next_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "province", "--operator", "Trần Thị Bình"]) == 0
    assert load(tmp_path / "province").settings.operator.name == "Trần Thị Bình"
    told = capsys.readouterr().out
    steps = ("cd province", "hosts.yml", "inventory list", "inventory enroll", "luytre audit")
    places = [told.index(step) for step in steps]
    assert places == sorted(places)


def test_init_never_writes_over_a_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "luytre.yml").write_text("mine")
    assert run(["init", "--operator", "Trần Thị Bình"]) == 2
    assert (tmp_path / "luytre.yml").read_text() == "mine"
    assert "luytre.yml" in capsys.readouterr().err


def test_init_wants_a_person_not_root(tmp_path: Path) -> None:
    assert run(["init", "--operator", "root"]) == 2
    assert not list(tmp_path.iterdir())


def test_programs_get_the_place_of_the_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--operator", "Trần Thị Bình", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["workspace"] == str(tmp_path)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--operator", ""),
        ("--operator", "root"),
        ("--ssh-key", "no-such.pub"),
        ("--ssh-key", "private"),
    ],
)
def test_a_value_that_is_not_accepted_names_the_option_not_a_file_to_come(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "private").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    given = {"--operator": "Trần Thị Bình", option: value}
    assert run(["init", "new", *(word for pair in given.items() for word in pair)]) == 2
    said = capsys.readouterr().err
    assert option in said
    assert "luytre.yml" not in said
    assert not (tmp_path / "new").exists()

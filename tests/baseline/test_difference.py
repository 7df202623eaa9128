"""``luytre baseline diff`` as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import run
from orchestrator.workspace.directory import VARIABLE
from tests.baseline.conftest import control

TITLE = "title: {en: P, vi: P}\n"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """Write a workspace whose baseline has an older version beside it; return its directory."""
    for name, chapter, profile in (
        (
            "old",
            control("gone", "sysctl: {g: 1}") + control("same", "sysctl: {j: 1}"),
            "tries: 4, was: 1",
        ),
        (
            "new",
            control("come", "sysctl: {c: 1}") + control("same", "sysctl: {j: 2}"),
            "tries: 3, words: [a]",
        ),
    ):
        for part in ("controls", "profiles"):
            (tmp_path / name / part).mkdir(parents=True)
        (tmp_path / name / "controls/own.yml").write_text(chapter)
        own = chapter.splitlines()[0].removeprefix("- id: ")
        text = f"{TITLE}controls: [{own}, same]\nparameters: {{{profile}}}\n"
        (tmp_path / name / "profiles/own.yml").write_text(text)
    home = tmp_path / "home"
    home.mkdir()
    (home / "luytre.yml").write_text("operator: {name: Lan}\nbaselines: [../new]\n")
    return home


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_two_profiles_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "baseline", "diff", "minimal", "cis-level2-server")
    assert "ssh-forwarding" in found["added"]
    assert found["removed"] == []
    assert found["parameters"]["ssh_alive_seconds"] == {"before": None, "after": 60}
    back = answer(capsys, "baseline", "diff", "cis-level2-server", "minimal")
    assert back["removed"] == found["added"]
    assert run(["baseline", "diff", "minimal", "cis-level2-server"]) == 0
    told = capsys.readouterr().out
    assert "ssh_alive_seconds: — → 60" in told
    assert "SSH carries no other connections" in told


def test_a_profile_is_compared_with_its_older_version(
    versions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--workspace", str(versions), "baseline", "diff", "own", "--before", "old")
    assert answer(capsys, *arguments) == {
        "before": "own",
        "after": "own",
        "added": ["come"],
        "removed": ["gone"],
        "changed": {"same": ["desired"]},
        "parameters": {
            "tries": {"before": 4, "after": 3},
            "was": {"before": 1, "after": None},
            "words": {"before": None, "after": ["a"]},
        },
    }


def test_what_is_the_same_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "diff", "minimal", "minimal"]) == 0
    assert "no difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("minimal",), "--before"),
        (("minimal", "minimol"), "did you mean: minimal?"),
        (("tcvn", "minimal"), "tcvn-level-1"),
        (("minimal", "--before", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_compared_is_answered_with_the_way_on(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(["baseline", "diff", *arguments]) == 2
    assert said in capsys.readouterr().err

"""``luytre baseline`` as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import run
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import VARIABLE
from tests.baseline.conftest import PROFILE, control


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run(["baseline", *arguments, "--output", "json"]) == code
    return json.loads(capsys.readouterr().out)


def own_baseline(home: Path, chapter: str) -> None:
    (home / "own" / "controls").mkdir(parents=True)
    (home / "own" / "controls" / "own.yml").write_text(chapter, encoding="utf-8")


def test_the_shipped_controls_are_listed_without_a_workspace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    controls = answer(capsys, "list")["controls"]
    assert len(controls) > 30
    assert {"id", "chapter", "severity", "risk", "title", "refs", "profiles"} <= set(controls[0])


def test_the_list_is_narrowed_by_chapter_and_profile(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "list", "--profile", "minimal", "--chapter", "ssh")["controls"]
    assert {one["chapter"] for one in found} == {"ssh"}
    assert all("minimal" in one["profiles"] for one in found)
    assert len(answer(capsys, "list", "--chapter", "ssh")["controls"]) > len(found) > 0


@pytest.mark.parametrize(
    "arguments",
    [("list", "--chapter", "nix"), ("list", "--profile", "nix"), ("show", "nix")],
)
def test_what_does_not_exist_is_answered_with_what_does(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(["baseline", *arguments]) == 2
    assert "there is: " in capsys.readouterr().err


def test_one_control_is_shown_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "show", "ssh-root-login"]) == 0
    text = capsys.readouterr().out
    for part in ("PermitRootLogin", "locked out", "cis-debian-13: 5.1.21", "minimal", "ssh.yml:"):
        assert part in text
    found = answer(capsys, "show", "ssh-root-login")
    assert found["desired"] == [{"sshd": {"PermitRootLogin": "no"}}]


def test_titles_come_in_the_operators_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    assert run(["baseline", "show", "ssh-root-login"]) == 0
    assert "SSH không cho phép đăng nhập" in capsys.readouterr().out


def test_a_sound_baseline_validates(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "validate")["problems"] == []


def test_every_problem_is_listed_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own_baseline(tmp_path, control("a", "sysctl: {a b: 1}") + control("b", "nix: {}"))
    found = answer(capsys, "validate", "own", code=2)["problems"]
    assert [(one["path"], one["line"], one["column"]) for one in found] == [
        ("own/controls/own.yml", 7, 21),
        ("own/controls/own.yml", 14, 7),
    ]
    assert run(["baseline", "validate", "own"]) == 2
    assert "own/controls/own.yml:14:7: unknown kind 'nix'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("sysctl: {k: '{{ param.nix }}'}", "param.nix is not defined in: "),
        ("sysctl: {k: '{{ ansible_host }}'}", "ansible_host is not defined in: "),
        ("sysctl: {k: '{{ 1 + }}'}", "c: "),
        ("file: {path: /x, template: none.j2}", "there is no template none.j2"),
    ],
)
def test_validation_finds_what_no_host_could_ever_have(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, state: str, message: str
) -> None:
    own_baseline(tmp_path, control("c", state))
    (tmp_path / "own" / "profiles").mkdir()
    (tmp_path / "own" / "profiles" / "p.yml").write_text(PROFILE.replace("all", "c"), "utf-8")
    (only,) = answer(capsys, "validate", "own", code=2)["problems"]
    assert message in only["message"]
    assert only["line"] == 7


def test_a_workspaces_own_controls_belong_to_its_baseline(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = create(tmp_path / "home", "Lan").directory
    own_baseline(home, control("own-one", "sysctl: {k: 1}"))
    (home / "luytre.yml").write_text("operator: {name: Lan}\nbaselines: [own]\n")
    assert run(["--workspace", str(home), "baseline", "show", "own-one"]) == 0
    assert "own.yml:1:3" in capsys.readouterr().out


def test_a_broken_workspace_is_not_passed_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "luytre.yml").write_text("nix: 1")
    assert run(["baseline", "list"]) == 2
    assert "luytre.yml:1:1" in capsys.readouterr().err


def test_the_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "array"


def test_the_documentation_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "docs"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Controls\n")
    assert answer(capsys, "docs") == {"markdown": text}

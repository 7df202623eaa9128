"""``luytre explain``: one control, why, how, where, and how it stands."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent import schema
from orchestrator.baseline.explanation import explain
from orchestrator.baseline.load import load_baseline
from orchestrator.baseline.waivers import NONE
from orchestrator.cli.context import Output
from orchestrator.cli.main import run
from orchestrator.cli.views import explain_view
from orchestrator.cli.views.output import emit
from orchestrator.report.kind_words import checked, mended
from orchestrator.workspace.directory import VARIABLE, Workspace
from orchestrator.workspace.shipped import shipped
from tests.cli.test_waiver import audited, workspace

__all__ = ["workspace"]
CONTROL = "ssh-root-login"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["explain", *arguments, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def page(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_a_control_is_explained_without_a_workspace(capsys: pytest.CaptureFixture[str]) -> None:
    told = page(capsys, CONTROL)
    for words in (
        "SSH refuses root logins",
        "Operators log in under their own name",
        "Severity: high",
        "operators can be locked out",
        "Only where: package openssh-server",
        "PermitRootLogin: no",
        "reloads the server",
        "luytre rollback",
        "cis-debian-12: 5.1.20",
        "no audit has looked at it yet",
    ):
        assert words in told


def test_it_speaks_the_operators_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    told = page(capsys, "ssh-max-auth-tries")
    assert "SSH ngắt kết nối" in told
    for english in ("Severity", "How it is checked", "the options that", "writes a", "since"):
        assert english not in told


def test_parameters_are_told_with_their_value_in_each_profile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = answer(capsys, "ssh-max-auth-tries")
    (way,) = found["checks"][0]
    assert way[0]["wanted"] == {"MaxAuthTries": "≥ 2, ≤ <ssh_max_auth_tries>"}
    values = found["parameters"]["ssh_max_auth_tries"]
    assert values["minimal"] == 4
    assert values["tcvn-level-2"] == 3
    assert set(values) == set(found["profiles"])
    assert "3 (tcvn-level-2, " in page(capsys, "ssh-max-auth-tries")


def test_parameters_in_a_template_file_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    name = "clamav_checks_per_day"
    controls = load_baseline([shipped("baselines")]).controls
    told = [answer(capsys, one) for one in controls if one.startswith("antivirus-")]
    (found,) = [one for one in told if name in one["parameters"]]
    assert name not in json.dumps(found["desired"])


def test_either_or_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own/controls"
    own.mkdir(parents=True)
    text = (
        "title: {en: E, vi: V}\n  why: {en: E., vi: V.}\n  severity: low\n  risk: none\n"
        "  desired: [{any_of: [{package: {name: a, state: installed}}, {sysctl: {k: 1, j: 2}}]}]\n"
    )
    (own / "own.yml").write_text(f"- id: own-one\n  {text}")
    (tmp_path / "luytre.yml").write_text("operator: {name: Lan}\nbaselines: [own]\n")
    told = page(capsys, "own-one").splitlines()
    assert told[told.index("either") + 2] == "    name: a, state: installed"
    assert told[told.index("or") + 2 :][:2] == ["    k: 1", "    j: 2"]


def test_how_it_stands_is_told_with_its_waivers(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    until = (date.today() + timedelta(days=30)).isoformat()
    words = ["--until", until, "--reason", "Backup", "--approver", "Hoa"]
    assert run(["waiver", "add", CONTROL, "--limit", "web1", *words]) == 0
    audited(workspace, {"web1": ["yes"], "web2": ["yes"], "db1": []})
    found = answer(capsys, CONTROL)
    stands = {one["host"]: (one["verdict"], one["marks"]) for one in found["hosts"]}
    assert stands == {"db1": ("pass", []), "web1": ("fail", ["waived"]), "web2": ("fail", [])}
    assert [one["waiver"] for one in found["waivers"]] == ["ssh-root-login-1"]
    told = page(capsys, CONTROL)
    assert "fail (waived)" in told
    assert f"until {until}" in told
    assert "approved by Hoa" in told

    only = answer(capsys, CONTROL, "--limit", "db")
    assert [one["host"] for one in only["hosts"]] == ["db1"]
    assert only["waivers"] == []


def test_a_mistyped_name_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["explain", "ssh-rot-login"]) == 2
    assert "did you mean: ssh-root-login" in capsys.readouterr().err


def test_every_shipped_control_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = load_baseline([shipped("baselines")])
    for name, control in baseline.controls.items():
        told = explain(baseline, control, [shipped("templates")])
        emit(Output.HUMAN, lambda told=told: explain_view.render(told, (), NONE), dict)
        shown = capsys.readouterr().out
        assert "{{" not in shown, name
        assert control.title.in_language("en").split()[0] in shown, name


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_kind_has_words_for_how_it_looks_and_mends(kind: str) -> None:
    assert checked(kind), "add it to orchestrator/report/kind_words.py"
    assert mended(kind), "add it to orchestrator/report/kind_words.py"

"""A name with a slip in it: the answer names what was probably meant."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.lab.model import HostSpec
from orchestrator.lab.state import Member, State, prepare, save
from orchestrator.model.nearest import known_hint

INVENTORY = """\
all:
  vars: {ansible_user: ops}
  children:
    web:
      hosts:
        portal1: {ansible_host: 192.0.2.1}
        portal2: {ansible_host: 192.0.2.2}
"""


@pytest.fixture(autouse=True)
def _workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.delenv("LUYTRE_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    (tmp_path / "inventories/hosts.yml").write_text(INVENTORY)


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("audit --control ssh-root-logni", "ssh-root-login"),
        ("plan --chapter firewal", "firewall"),
        ("baseline list --chapter firewal", "firewall"),
        ("baseline list --profile cis-level1-servre", "cis-level1-server"),
        ("baseline show SSH-root-login", "ssh-root-login"),
        ("inventory list --limit potral1", "portal1, portal2"),
        ("inventory list --limit portal1:wbe", "web"),
        ("audit --limit potral2", "portal2"),
    ],
)
def test_what_was_probably_meant_is_named(
    command: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command.split()) == 2
    hint = capsys.readouterr().err.splitlines()[1]
    assert hint.startswith("  did you mean: ")
    assert set(meant.split(", ")) <= set(hint.removesuffix("?").split(": ")[1].split(", "))


def test_a_name_like_no_other_is_answered_with_the_names_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["baseline", "list", "--chapter", "zzz"]) == 2
    assert {"antivirus,", "firewall,", "ssh,"} <= set(capsys.readouterr().err.split())
    assert run(["inventory", "list", "--limit", "zzz"]) == 2
    assert "luytre inventory list" in capsys.readouterr().err


def test_without_any_names_the_hint_says_so() -> None:
    assert known_hint("web1", []) == "there is: none"


def lab(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = "import sys; from orchestrator.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "--workspace", str(tmp_path), "lab", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "LUYTRE_LANG": "en"},
    )  # fmt: skip


def remember(tmp_path: Path, name: str, *hosts: str) -> None:
    """Leave behind what a lab with these hosts remembers, as after a reboot of the machine."""
    directory = tmp_path / ".luytre/lab" / name
    prepare(directory)
    members = tuple(Member(HostSpec(host), n, "SHA256:x") for n, host in enumerate(hosts))
    save(directory / "lab.json", State(1, members))


@pytest.mark.parametrize("verb", ["down", "status", "shell"])
def test_a_lab_that_is_not_there_is_a_mistake_that_names_those_that_are(
    verb: str, tmp_path: Path
) -> None:
    remember(tmp_path, "rehearsal", "node1")
    arguments = ["node1"] if verb == "shell" else []
    done = lab(tmp_path, verb, "--name", "rehersal", *arguments)
    assert done.returncode == 2
    assert "there is no lab 'rehersal'" in done.stderr
    assert "did you mean: rehearsal?" in done.stderr
    assert "gone" not in done.stderr


@pytest.mark.parametrize("verb", ["down", "status"])
def test_without_any_lab_it_is_said_how_to_make_one(verb: str, tmp_path: Path) -> None:
    done = lab(tmp_path, verb, "--name", "rehearsal")
    assert done.returncode == 2
    assert "luytre lab up --name rehearsal" in done.stderr


def test_a_shell_in_a_host_that_is_not_there_names_the_hosts(tmp_path: Path) -> None:
    remember(tmp_path, "lab", "node1", "node2", "jump")
    done = lab(tmp_path, "shell", "nosuch")
    assert done.returncode == 2
    assert "the lab has no host 'nosuch'" in done.stderr
    assert "there is: node1, node2, jump" in done.stderr
    assert "did you mean: node" in lab(tmp_path, "shell", "nod2").stderr

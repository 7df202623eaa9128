"""``luytre apply`` and the hosts that it must leave alone."""

import json
from pathlib import Path

import pytest

from orchestrator.agent import converge as on_the_host
from orchestrator.change import apply
from orchestrator.cli.main import run
from orchestrator.lab.keys import ensure_key

# Nobody listens on the discard port: the managed host fails at once.
INVENTORY = """\
all:
  vars: {ansible_host: 127.0.0.1, ansible_port: 9, luytre_admin_sources: [192.0.2.0/28],
    ansible_ssh_private_key_file: key}
  hosts:
    web1: {luytre_services: [], luytre_clamav_mirror: http://mirror.example}
    old: {luytre_services: [], luytre_clamav_mirror: http://mirror.example,
      luytre_management: audit-only}
"""


@pytest.fixture(autouse=True)
def workspace(new_workspace: Path) -> None:
    """Stand in a workspace with a managed and an audit-only server."""
    (new_workspace / "inventories" / "hosts.yml").write_text(INVENTORY)
    ensure_key(new_workspace / "key", "test")


def test_a_server_that_is_only_audited_takes_no_part(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["apply", "--yes", "--output", "json"]) == 4
    said = capsys.readouterr()
    assert [host["host"] for host in json.loads(said.out)["hosts"]] == ["web1"]
    (note,) = [json.loads(line)["note"] for line in said.err.splitlines()]
    assert note["hosts"] == ["old"]
    assert run(["apply", "--yes"]) == 4
    assert "luytre: audit-only, never changed: old\n" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["apply", "--yes"], ["apply"]])
def test_another_number_of_servers_than_agreed_to_is_refused_before_anybody_is_asked(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run([*command, "--count", "2"]) == 6
    said = capsys.readouterr()
    assert "agreed to: 2" in said.err
    assert said.out == ""
    assert run([*command, "--count", "1"]) == 4


def test_a_server_without_a_plan_is_told_to_programs_in_a_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert run(["plan", "--limit", "web1", "--output", "json"]) == 4
    (told,) = [json.loads(line)["error"] for line in capsys.readouterr().err.splitlines()]
    assert (told["host"], told["exit_code"]) == ("web1", 4)
    assert told["message"]


def test_an_apply_on_servers_that_are_only_audited_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["apply", "--yes", "--limit", "old"]) == 6
    assert "audit-only" in capsys.readouterr().err


def test_the_controller_knows_how_long_a_host_may_converge() -> None:
    assert apply.CONVERGE_SECONDS == on_the_host.CONVERGE_SECONDS

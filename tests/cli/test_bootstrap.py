"""``luytre inventory bootstrap`` before anybody is contacted, and who never is."""

import socket
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.lab.keys import ensure_key

from .conftest import nobody_came

INVENTORY = """\
all:
  vars: {{ansible_host: 127.0.0.1, ansible_port: {port}, ansible_ssh_private_key_file: key}}
  hosts:
    web1: {{}}
    old: {{luytre_management: audit-only}}
    win: {{luytre_management: unmanaged}}
"""
Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _workspace(new_workspace: Path, door: socket.socket) -> None:
    port = door.getsockname()[1]
    (new_workspace / "inventories/hosts.yml").write_text(INVENTORY.format(port=port))
    ensure_key(new_workspace / "key", "test")


def test_servers_that_are_not_managed_are_never_connected_to(
    door: socket.socket, capsys: Told
) -> None:
    assert run(["inventory", "bootstrap", "--limit", "old,win", "--yes", "--no-password"]) == 6
    assert "not managed" in capsys.readouterr().err
    assert run(["inventory", "check", "--limit", "win"]) == 0
    assert run(["rollback", "--host", "old,win", "--yes"]) == 6
    assert "old, win" in capsys.readouterr().err
    assert nobody_came(door)


@pytest.mark.parametrize(
    "words",
    [
        ["--no-password", "--password-fd", "0"],
        ["--password-file", "pw", "--password-fd", "0"],
        ["--fingerprints", "key.pub", "--yes-i-compared"],
    ],
)
def test_contradictions_are_told_before_anybody_is_contacted(
    words: list[str], door: socket.socket
) -> None:
    assert run(["inventory", "bootstrap", "--limit", "web1", *words]) == 2
    assert nobody_came(door)


def test_another_number_of_servers_than_agreed_to_is_refused(door: socket.socket) -> None:
    assert run(["inventory", "bootstrap", "--count", "3", "--yes", "--no-password"]) == 6
    assert nobody_came(door)


def test_a_missing_key_is_told_before_anybody_is_contacted(
    door: socket.socket, capsys: Told
) -> None:
    Path("key").unlink()
    assert run(["inventory", "bootstrap", "--limit", "web1", "--yes", "--no-password"]) == 2
    assert "key" in capsys.readouterr().err
    assert nobody_came(door)


def test_a_password_can_be_no_argument(door: socket.socket) -> None:
    assert run(["inventory", "bootstrap", "--password", "secret", "--yes"]) == 2
    assert nobody_came(door)

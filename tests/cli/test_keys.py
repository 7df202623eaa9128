"""A key that the controller lacks is the controller's fault: told once, before any connection."""

import socket
from pathlib import Path

import pytest

from orchestrator.cli.main import run

from .conftest import nobody_came

INVENTORY = """\
all:
  vars:
    ansible_user: ops
    ansible_port: {port}
    ansible_host: 127.0.0.1
    luytre_services: []
    luytre_admin_sources: [192.0.2.0/28]
    luytre_clamav_mirror: http://clamav.example.org
    {key}
  hosts:
    web1:
    web2:
    web3: {{luytre_jump: web1}}
"""


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in an empty home, without an SSH agent."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    (tmp_path / "garbage").write_text("not a key")
    (tmp_path / "directory").mkdir()


@pytest.mark.parametrize(
    "command", ["audit", "plan", "inventory check", "apply --yes", "rollback --host all --yes"]
)
@pytest.mark.parametrize("key", ["nosuch", "garbage", "directory"])
def test_a_key_that_cannot_be_used_ends_the_command_before_it_connects(
    command: str,
    key: str,
    door: socket.socket,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / key
    named = f"ansible_ssh_private_key_file: {path}"
    text = INVENTORY.format(port=door.getsockname()[1], key=named)
    (tmp_path / "inventories/hosts.yml").write_text(text)
    assert run(command.split()) == 2
    said = capsys.readouterr()
    assert said.out.count("web") == 0
    assert said.err.count(str(path)) == 1
    assert "web1, web2, web3" in said.err
    assert nobody_came(door)


def test_no_key_at_all_is_told_the_same_way(
    door: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = INVENTORY.format(port=door.getsockname()[1], key="")
    (tmp_path / "inventories/hosts.yml").write_text(text)
    assert run(["audit"]) == 2
    said = capsys.readouterr().err
    assert "there is no SSH key to log in with" in said
    assert "ansible_ssh_private_key_file" in said
    assert nobody_came(door)


def test_a_jump_hosts_key_is_needed_as_well(
    door: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = INVENTORY.format(port=door.getsockname()[1], key="").replace(
        "web1:\n", "web1: {ansible_ssh_private_key_file: /nosuch/jump}\n"
    )
    (tmp_path / "inventories/hosts.yml").write_text(text)
    assert run(["inventory", "enroll", "--yes-i-compared", "--limit", "web3"]) == 2
    assert "/nosuch/jump" in capsys.readouterr().err
    assert nobody_came(door)


def test_hosts_outside_the_limit_need_no_key(
    door: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = INVENTORY.format(port=door.getsockname()[1], key="").replace(
        "web2:\n", "web2: {ansible_ssh_private_key_file: /nosuch/key}\n"
    )
    (tmp_path / "inventories/hosts.yml").write_text(text)
    assert run(["inventory", "list"]) == 0
    assert run(["audit", "--limit", "web1"]) == 2
    assert "/nosuch/key" not in capsys.readouterr().err

"""``luytre backup``: what is refused before any server is asked."""

from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.protect.secret_file import Passwords
from orchestrator.workspace.directory import load

Told = pytest.CaptureFixture[str]
INVENTORY = """
all:
  hosts:
    web1: {ansible_host: 192.0.2.1, luytre_backup_vault: vault1, luytre_backup_paths: [/etc]}
    web2: {ansible_host: 192.0.2.2, luytre_backup_vault: vault1, luytre_backup_paths: [/etc]}
    vault1: {ansible_host: 192.0.2.3}
"""


@pytest.fixture(autouse=True)
def workspace(new_workspace: Path) -> Path:
    (new_workspace / "inventories/hosts.yml").write_text(INVENTORY)
    return new_workspace


def test_where_a_restore_goes_is_an_absolute_path(capsys: Told) -> None:
    assert run(["backup", "restore", "--into", "back", "--yes"]) == 2
    assert "not an absolute path: back" in " ".join(capsys.readouterr().err.split())


def test_a_vault_is_set_up_by_its_clients_and_they_are_named(capsys: Told) -> None:
    assert run(["backup", "setup", "--limit", "vault1", "--yes"]) == 6
    told = " ".join(capsys.readouterr().err.split())
    assert "vault1: only clients are named here" in told
    assert "--limit web1,web2" in told


def test_the_command_that_proves_the_list_for_the_safe_stands_on_a_line_of_its_own(
    workspace: Path, capsys: Told
) -> None:
    loaded = load(workspace)
    loaded.prepare_state()
    Passwords(loaded).ensure(["web1", "web2"])
    (workspace / "secret").write_text("a passphrase that is long enough")
    (workspace / "secret").chmod(0o600)
    capsys.readouterr()
    assert run(["backup", "escrow", "list.sealed", "--passphrase-file", "secret"]) == 0
    written, proof = capsys.readouterr().out.splitlines()
    assert written == "Written: list.sealed"
    assert proof == "next: luytre backup escrow list.sealed --verify"

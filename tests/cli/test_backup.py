"""``luytre backup``: what is refused before any server is asked."""

from pathlib import Path

import pytest

from orchestrator.cli.main import run

Told = pytest.CaptureFixture[str]
INVENTORY = """
all:
  hosts:
    web1: {ansible_host: 192.0.2.1, luytre_backup_vault: vault1, luytre_backup_paths: [/etc]}
    web2: {ansible_host: 192.0.2.2, luytre_backup_vault: vault1, luytre_backup_paths: [/etc]}
    vault1: {ansible_host: 192.0.2.3}
"""


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    (tmp_path / "inventories/hosts.yml").write_text(INVENTORY)
    return tmp_path


def test_where_a_restore_goes_is_an_absolute_path(capsys: Told) -> None:
    assert run(["backup", "restore", "--into", "back", "--yes"]) == 2
    assert "not an absolute path: back" in " ".join(capsys.readouterr().err.split())


def test_a_vault_is_set_up_by_its_clients_and_they_are_named(capsys: Told) -> None:
    assert run(["backup", "setup", "--limit", "vault1", "--yes"]) == 6
    told = " ".join(capsys.readouterr().err.split())
    assert "vault1: only clients are named here" in told
    assert "--limit web1,web2" in told

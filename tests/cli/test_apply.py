"""``luytre apply`` and the hosts that it must leave alone."""

import json
from pathlib import Path

import pytest

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
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a workspace with a managed and an audit-only server."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    (tmp_path / "inventories" / "hosts.yml").write_text(INVENTORY)
    ensure_key(tmp_path / "key", "test")


def test_a_server_that_is_only_audited_takes_no_part(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["apply", "--yes", "--output", "json"]) == 4
    said = capsys.readouterr()
    assert [host["host"] for host in json.loads(said.out)["hosts"]] == ["web1"]
    assert "old" in said.err


def test_an_apply_on_servers_that_are_only_audited_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["apply", "--yes", "--limit", "old"]) == 6
    assert "audit-only" in capsys.readouterr().err

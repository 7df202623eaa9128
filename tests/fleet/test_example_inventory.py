"""The example of a province is one that a newcomer can copy: it resolves, and it compiles."""

import json
from pathlib import Path

import pytest

from orchestrator.baseline.compile import compile_manifest
from orchestrator.baseline.load import load_baseline
from orchestrator.cli.main import run
from orchestrator.fleet.inventory import Inventory, load_hosts
from orchestrator.model.host import Management
from orchestrator.workspace.shipped import shipped

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "example"


@pytest.fixture(scope="module")
def province() -> Inventory:
    return load_hosts(EXAMPLE)


def test_it_shows_every_level_every_management_and_a_jump_host(province: Inventory) -> None:
    hosts = {host.name: host for host in province.hosts}
    assert {host.level for host in hosts.values()} >= {1, 2, 3, 4, 5}
    assert {host.management for host in hosts.values()} == set(Management)
    assert {host.endpoint.jump for host in hosts.values()} == {None, "health-jump"}
    assert len({host.agency for host in hosts.values()}) >= 6
    assert all(host.agency for host in hosts.values())


def test_every_host_compiles_to_a_manifest_of_its_own_level(province: Inventory) -> None:
    baseline = load_baseline([shipped("baselines")])
    for host in province.hosts:
        if host.management is not Management.UNMANAGED:
            manifest = compile_manifest(baseline, "tcvn", host, [shipped("templates")])
            assert manifest.document["controls"], host.name


def test_every_file_of_variables_belongs_to_a_group_or_host(province: Inventory) -> None:
    groups = {group for host in province.hosts for group in host.groups} | {"all"}
    assert {path.stem for path in (EXAMPLE / "group_vars").iterdir()} <= groups
    names = {host.name for host in province.hosts}
    assert {path.stem for path in (EXAMPLE / "host_vars").iterdir()} <= names


def test_it_is_listed_without_any_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.delenv("LUYTRE_WORKSPACE", raising=False)
    assert run(["inventory", "list", "-i", str(EXAMPLE), "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["hosts"]
    assert {host["host"]: host["management"] for host in told}["licences-win"] == "unmanaged"
    assert run(["inventory", "list", "-i", str(EXAMPLE)]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    assert "Sở Y tế" in shown

"""``luytre rollback`` of hosts that are not at hand: never a silent success."""

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

INVENTORY = """\
all:
  hosts:
    web1: {ansible_host: 192.0.2.1}
    win1: {ansible_host: 192.0.2.3, luytre_management: unmanaged}
"""


@pytest.fixture
def applied(new_workspace: Path) -> str:
    """Return the apply that changed a server which left the inventory afterwards."""
    (new_workspace / "inventories" / "hosts.yml").write_text(INVENTORY)
    workspace = load(new_workspace)
    workspace.prepare_state()
    with Store.open(workspace.store_file) as store:
        made = store.start_run(NewRun(RunKind.APPLY, "Trần Thị Bình"))
        store.save_host_outcome(made.id, HostOutcome("gone", Outcome.CONFIRMED))
        store.finish_run(made.id, RunStatus.DONE)
    return made.id


def test_a_server_that_left_the_inventory_is_told_as_not_taken_back(
    applied: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rollback", "--run", applied, "--yes", "--output", "json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["hosts"]
    assert (told["host"], told["outcome"]) == ("gone", "failed")
    assert "inventory" in told["reason"]


def test_a_limit_without_any_server_of_the_run_is_an_error(
    applied: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rollback", "--run", applied, "--limit", "web1", "--yes"]) == 2
    assert applied in capsys.readouterr().err


@pytest.mark.usefixtures("applied")
def test_an_unknown_server_is_complained_of_by_the_option_that_named_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["rollback", "--host", "nope", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "--host nope" in told
    assert "--limit" not in told


@pytest.mark.usefixtures("applied")
def test_a_limit_beside_a_server_is_no_command() -> None:
    assert run(["rollback", "--host", "web1", "--limit", "web1", "--yes"]) == 2


def test_a_server_that_is_not_managed_is_not_taken_back_in_silence(
    applied: str,  # noqa: ARG001 - it makes the workspace
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["rollback", "--host", "win1", "--yes"]) == 6
    assert "win1" in capsys.readouterr().err

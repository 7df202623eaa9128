"""``luytre plan --save`` and ``luytre apply --plan``: what is refused, nobody is asked about."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.change.plan_file import save
from orchestrator.change.saved_plan import SavedPlan
from orchestrator.change.saved_scope import to_save
from orchestrator.cli.main import run
from orchestrator.drift.scope import gather
from orchestrator.lab.keys import ensure_key
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.errors import UnreachableError
from orchestrator.model.finding import Risk
from orchestrator.model.host import Management
from orchestrator.model.selection import Selection
from orchestrator.workspace.directory import load

from .conftest import nobody_came

INVENTORY = """\
all:
  vars: {{ansible_host: 127.0.0.1, ansible_port: {port}, luytre_admin_sources: [192.0.2.0/28],
    ansible_ssh_private_key_file: key}}
  hosts:
    web1: {{luytre_services: [], luytre_clamav_mirror: http://mirror.example}}
    old: {{luytre_services: [], luytre_clamav_mirror: http://mirror.example,
      luytre_management: audit-only}}
"""
APPLY = ["apply", "--yes", "--plan", "plan.json"]
Make = Callable[..., SavedPlan]


@pytest.fixture(autouse=True)
def workspace(new_workspace: Path, door: socket.socket) -> Path:
    """Stand in a workspace with a managed and an audit-only server."""
    hosts = INVENTORY.format(port=door.getsockname()[1])
    (new_workspace / "inventories" / "hosts.yml").write_text(hosts)
    ensure_key(new_workspace / "key", "test")
    return new_workspace


@pytest.fixture
def saved(workspace: Path) -> Make:
    """Return what saves a plan as the servers could have given it: with a change, or without."""

    def make(*changes: Change, age: timedelta = timedelta()) -> SavedPlan:
        place = load(workspace)
        scope = gather(place, Selection())
        plans = [
            HostPlan(
                host.name,
                scope.manifests[host.name].digest,
                changes,
                audit_only=host.management is Management.AUDIT_ONLY,
            )
            for host in scope.hosts
        ]
        silent = [UnreachableError("web9", "no route")]
        plan = replace(to_save(place, scope, plans, silent), created=datetime.now(UTC) - age)
        save(workspace / "plan.json", plan, place.digest_key())
        return plan

    return make


CHANGE = Change("ssh-root-login", Risk.LOCKOUT, ("sets PermitRootLogin",), "+PermitRootLogin no\n")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return how a command ended and what it said."""
    capsys.readouterr()
    code = run([*words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("at", [40, 400, -60])
def test_fault_33_a_plan_with_another_byte_is_refused_before_anybody_is_asked(
    workspace, saved, door, capsys, at
):
    saved(CHANGE)
    file = workspace / "plan.json"
    data = bytearray(file.read_bytes())
    data[at] = ord("7") if data[at] != ord("7") else ord("8")
    file.write_bytes(data)
    code, out, err = told(capsys, *APPLY)
    assert code in {2, 6}
    assert (out, "plan.json" in err) == ("", True)
    assert nobody_came(door)


def test_fault_34_a_plan_is_used_once_although_it_changes_nothing(saved, door, capsys):
    plan = saved()
    code, out, _err = told(capsys, *APPLY, "--output", "json")
    assert code == 0
    assert [(one["host"], one["outcome"]) for one in json.loads(out)["hosts"]] == [
        ("web1", "unchanged")
    ]
    used = json.loads(out)["run"]
    code, out, err = told(capsys, *APPLY)
    assert (code, out) == (6, "")
    assert plan.id in err
    assert used in err
    code, out, _err = told(capsys, "runs", "show", used)
    assert f"saved plan: {plan.id}" in out
    assert nobody_came(door)


def test_a_plan_whose_servers_cannot_be_reached_stays_to_be_used(saved, door, capsys):
    saved(CHANGE)
    door.close()
    for _again in range(2):
        code, out, _err = told(capsys, *APPLY, "--output", "json")
        assert code == 4
        assert [one["outcome"] for one in json.loads(out)["hosts"]] == ["unreachable"]


@pytest.mark.parametrize("option", ["--limit", "--chapter", "--control"])
def test_what_is_carried_out_as_a_whole_takes_no_selection(saved, door, capsys, option):
    saved(CHANGE)
    code, _out, err = told(capsys, *APPLY, option, "web1")
    assert code == 2
    assert "--limit, --chapter, --control" in err
    assert nobody_came(door)


def test_another_number_of_servers_than_agreed_to_is_refused(saved, door, capsys):
    saved(CHANGE)
    code, _out, err = told(capsys, *APPLY, "--count", "2")
    assert code == 6
    assert "agreed to: 2" in err
    assert nobody_came(door)


def test_variables_that_changed_are_told_by_server(workspace, saved, door, capsys):
    saved(CHANGE)
    place = workspace / "inventories" / "hosts.yml"
    place.write_text(place.read_text().replace("192.0.2.0/28", "198.51.100.0/28"))
    code, out, err = told(capsys, *APPLY)
    assert (code, out) == (6, "")
    assert "something else is wanted of it: old, web1" in err
    assert nobody_came(door)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x00", b'{"plan": 1}'])
def test_what_is_no_plan_is_told_with_its_name(workspace, door, capsys, content):
    if content is not None:
        (workspace / "plan.json").write_bytes(content)
    code, out, err = told(capsys, *APPLY)
    assert (code, out) == (2, "")
    assert "plan.json: " in err
    assert "Traceback" not in err
    assert nobody_came(door)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=5), "0 minutes ago"),
        (timedelta(minutes=61), "61 minutes ago"),
        (timedelta(hours=3, minutes=5), "3 hours ago"),
        (timedelta(days=16, hours=1), "16 days ago"),
        (timedelta(hours=-2), "0 minutes ago"),
    ],
)
def test_it_is_told_whose_plan_it_is_how_old_and_whom_it_leaves_alone(saved, capsys, age, words):
    plan = saved(age=age)
    _code, _out, err = told(capsys, *APPLY)
    assert f"saved plan {plan.id} by Trần Thị Bình, " in err
    assert words in err
    assert "left alone: web9" in err
    assert "never changed: old" in err


def test_a_file_that_is_there_is_not_written_over(workspace, door, capsys):
    (workspace / "plan.json").write_text("mine")
    code, _out, err = told(capsys, "plan", "--save", "plan.json")
    assert code == 2
    assert "is there already" in err
    assert (workspace / "plan.json").read_text() == "mine"
    assert nobody_came(door)


def test_where_no_server_gives_a_plan_nothing_is_saved(workspace, door, capsys):
    door.close()
    before = sorted(workspace.iterdir())
    code, out, err = told(capsys, "plan", "--save", "plan.json", "--output", "json")
    assert code == 4
    assert "saved" not in json.loads(out)
    assert "nothing was saved" in json.loads(err.splitlines()[0])["note"]["message"]
    assert {*workspace.iterdir()} - {*before} <= {workspace / ".luytre"}

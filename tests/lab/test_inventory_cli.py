"""``luytre inventory`` against real hosts, from the command line."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from orchestrator.cli.main import run
from orchestrator.fleet.pins import load_pins
from orchestrator.store.repository import Store

pytestmark = pytest.mark.lab


@pytest.fixture
def workspace(fleet, tmp_path, monkeypatch):
    """A workspace over a copy of the lab's inventory, in English."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fleet.inventory, tmp_path / "inventory")
    (tmp_path / "luytre.yml").write_text("operator: {name: Nguyễn Văn An}\ninventory: inventory\n")
    return tmp_path


@pytest.fixture
def answer(workspace, capsys):  # noqa: ARG001 - the commands find it
    """Run a command with JSON output; return its code and document."""

    def ask(*arguments):
        code = run(["inventory", *arguments, "--output", "json"])
        return code, json.loads(capsys.readouterr().out)

    return ask


def results(document):
    return {host["host"]: host["result"] for host in document["hosts"]}


def declare(workspace, host, **variables):
    path = workspace / "inventory" / "host_vars" / f"{host}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(variables))


def test_an_engineer_enrols_by_the_file_of_fingerprints_and_then_everything_is_ok(fleet, answer):
    code, listed = answer("list")
    assert code == 0
    assert {host["host"]: host["pinned"] for host in listed["hosts"]} == dict.fromkeys(
        ("b1", "b2", "t1")
    )
    code, checked = answer("check")
    assert code == 4
    assert {host["failed"] for host in checked["hosts"]} == {"host_key"}
    code, enrolled = answer("enroll", "--fingerprints", str(fleet.fingerprints))
    assert code == 0
    assert results(enrolled) == dict.fromkeys(("b1", "b2", "t1"), "pinned")
    code, checked = answer("check")
    assert code == 0
    assert {host["failed"] for host in checked["hosts"]} == {None}
    assert all(host["python"].startswith("3.") for host in checked["hosts"])
    code, again = answer("enroll", "--fingerprints", str(fleet.fingerprints))
    assert (code, set(results(again).values())) == (0, {"unchanged"})


def test_who_trusted_which_key_is_in_the_audit_log(fleet, workspace, answer):
    answer("enroll", "--fingerprints", str(fleet.fingerprints), "--limit", "b1")
    with Store.open(workspace / ".luytre/store.sqlite") as store:
        (entry,) = store.log.newest(10)
    assert (entry.operator, entry.action) == ("Nguyễn Văn An", "enroll")
    assert entry.detail["host"] == "b1"
    shown = load_pins(workspace / ".luytre/known_hosts")["b1"].fingerprint
    assert (entry.detail["old"], entry.detail["shown"]) == (None, shown)


def test_a_fingerprint_that_differs_is_refused_and_the_others_are_pinned(fleet, workspace, answer):
    lines = dict(line.split() for line in fleet.fingerprints.read_text().splitlines())
    lines["b2"] = lines["b1"]
    del lines["t1"]
    (workspace / "prints").write_text("".join(f"{n} {f}\n" for n, f in lines.items()))
    code, enrolled = answer("enroll", "--fingerprints", "prints")
    assert code == 6
    assert results(enrolled) == {"b1": "pinned", "b2": "refused", "t1": "refused"}
    assert set(load_pins(workspace / ".luytre/known_hosts")) == {"b1"}


def test_a_pinned_key_that_the_file_contradicts_is_refused_and_named(fleet, workspace, answer):
    answer("enroll", "--yes-i-compared")
    lines = dict(line.split() for line in fleet.fingerprints.read_text().splitlines())
    (workspace / "prints").write_text(f"b2 {lines['b1']}\n")
    pins = load_pins(workspace / ".luytre/known_hosts")
    code, enrolled = answer("enroll", "--fingerprints", "prints")
    assert code == 6
    assert results(enrolled) == {"b1": "unchanged", "b2": "refused", "t1": "unchanged"}
    assert load_pins(workspace / ".luytre/known_hosts") == pins


def test_a_changed_key_shows_old_and_new_and_is_replaced_only_when_compared(
    fleet, workspace, answer, capsys
):
    answer("enroll", "--yes-i-compared")
    pins = workspace / ".luytre/known_hosts"
    true = load_pins(pins)
    swapped = pins.read_text().replace("b1 ", "x ").replace("b2 ", "b1 ").replace("x ", "b2 ")
    pins.write_text(swapped)
    code, refused = answer("enroll", "--fingerprints", str(fleet.fingerprints), "--limit", "t1")
    assert (code, results(refused)) == (0, {"t1": "unchanged"})
    assert run(["inventory", "enroll", "--yes-i-compared", "--limit", "b1"]) == 0
    told = capsys.readouterr().out
    assert true["b2"].fingerprint in told
    assert true["b1"].fingerprint in told
    assert load_pins(pins)["b1"] == true["b1"]
    assert load_pins(pins)["b2"] == true["b1"]


def test_nobody_there_to_compare_pins_nothing(workspace, capsys, monkeypatch):
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert run(["inventory", "enroll"]) == 6
    assert "--fingerprints" in capsys.readouterr().err
    assert not (workspace / ".luytre/known_hosts").exists()


@pytest.mark.parametrize(
    ("says", "management", "failed"),
    [
        ("luytre-python 3.5.9", "audit-only", "python"),
        ("luytre-python 3.7.3", "managed", "python"),
        ("luytre-python 3.7.3", "audit-only", None),
        ("\x1b[2Jgarbage", "managed", "python"),
    ],
)
def test_a_python_that_is_too_old_is_told_with_what_to_do(
    fleet, workspace, answer, says, management, failed
):
    fleet.write("b1", "/opt/python3", f"#!/bin/sh\nprintf '%s\\n' '{says}'\n".encode(), 0o755)
    declare(
        workspace, "b1", ansible_python_interpreter="/opt/python3", luytre_management=management
    )
    answer("enroll", "--yes-i-compared", "--limit", "b1")
    code, checked = answer("check", "--limit", "b1")
    (host,) = checked["hosts"]
    assert host["failed"] == failed
    assert code == (0 if failed is None else 1)
    assert bool(host["hint"]) == (failed is not None)
    assert "\x1b" not in host["reason"]


def test_each_failed_step_has_its_own_name_and_the_later_ones_were_not_tried(
    workspace, answer, capsys
):
    answer("enroll", "--yes-i-compared")
    declare(workspace, "b1", ansible_user="nobody-there")
    declare(workspace, "b2", ansible_port=1)
    declare(workspace, "t1", luytre_management="unmanaged")
    code, checked = answer("check")
    assert code == 4
    steps = {host["host"]: list(host["steps"].values()) for host in checked["hosts"]}
    assert steps == {
        "b1": [True, True, False, None, None, None],
        "b2": [False, None, None, None, None, None],
    }
    remedies = {host["host"]: host["remedy"] for host in checked["hosts"]}
    assert remedies == {"b1": "luytre inventory bootstrap --limit b1", "b2": ""}
    assert checked["unmanaged"] == ["t1"]
    assert run(["inventory", "check"]) == 4
    told = capsys.readouterr().out
    assert "does not let nobody-there in" in told
    assert max(len(re.sub(r"/\S+", "/path", line)) for line in told.splitlines()) <= 100


def test_the_list_fits_100_columns_whatever_the_names(workspace, capsys):
    declare(workspace, "b1", luytre_agency="Sở Thông tin và Truyền thông tỉnh [bold]" + "x" * 90)
    assert run(["inventory", "list"]) == 0
    told = capsys.readouterr().out
    assert max(len(line) for line in told.splitlines()) <= 100
    assert "Sở Thông tin" in told
    assert "luytre inventory enroll" in told


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("command", ["list", "check", "enroll"])
def test_every_help_has_an_example_and_a_wrong_limit_is_an_error(capsys, command):
    assert run(["inventory", command, "--help"]) == 0
    assert f"luytre inventory {command}" in capsys.readouterr().out
    assert run(["inventory", command, "--limit", "nosuch"]) == 2
    assert "nosuch" in capsys.readouterr().err

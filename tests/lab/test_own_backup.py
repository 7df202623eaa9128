"""A controller that is gone: from its backup, another directory watches the same servers on."""

import json
import shutil

import pytest
import yaml

from orchestrator.cli.main import run
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

pytestmark = pytest.mark.lab

VARIABLES = {
    "luytre_admin_sources": ["10.213.0.0/16"],
    "luytre_services": [],
    "luytre_clamav_mirror": "http://mirror.example/clamav",
}


@pytest.fixture
def province(fleet, tmp_path, monkeypatch):
    """A workspace over a copy of the lab's inventory, enrolled and audited once."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    home = tmp_path / "province"
    shutil.copytree(fleet.inventory, home / "inventory")
    variables = home / "inventory" / "group_vars" / "all.yml"
    variables.parent.mkdir(exist_ok=True)
    variables.write_text(yaml.safe_dump(VARIABLES))
    (home / "luytre.yml").write_text("operator: {name: Nguyễn Văn An}\ninventory: inventory\n")
    monkeypatch.chdir(home)
    assert run(["inventory", "enroll", "--fingerprints", str(fleet.fingerprints)]) == 0
    assert run(["audit", "--chapter", "ssh"]) in (0, 3)
    assert run(["audit"]) in (1, 3)
    return home


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text("bốn chữ rất dễ nhớ\n")
    path.chmod(0o600)
    return ["--passphrase-file", str(path)]


def told(capsys, *arguments):
    capsys.readouterr()
    code = run([*arguments, "--output", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_another_directory_goes_on_where_the_burnt_one_stopped(
    province, secret, tmp_path, monkeypatch, capsys
):
    key = load(province).digest_key()
    assert run(["backup-self", str(tmp_path / "usb.sealed"), *secret]) == 0
    shutil.rmtree(province)
    new = tmp_path / "elsewhere"
    assert run(["restore-self", str(tmp_path / "usb.sealed"), "--into", str(new), *secret]) == 0
    monkeypatch.chdir(new)
    assert load(new).digest_key() == key
    code, audited = told(capsys, "audit")
    assert code in (1, 3)
    assert {host["reach"] for host in audited["hosts"]} == {"answered"}
    _code, drift = told(capsys, "drift", "show")
    assert drift == {"drift": []}, "nothing changed meanwhile, so nothing may be told"
    assert told(capsys, "log", "verify")[0] == 0
    assert told(capsys, "store", "verify") == (0, {"sound": True, "checks": sound()})
    _code, history = told(capsys, "runs", "list")
    assert [one["kind"] for one in history["runs"]] == ["audit"] * 3


def sound():
    parts = ("schema", "file", "references", "evidence", "summaries", "log", "audits")
    return [{"part": part, "problems": []} for part in parts]


def test_real_answers_that_say_the_same_are_kept_once(province):
    """What a real host says differs from audit to audit by its clock alone."""
    with Store.open(load(province).store_file) as store:
        before = {one.host: one.evidence for one in store.last_attempts()}
    assert run(["audit"]) in (1, 3)
    with Store.open(load(province).store_file) as store:
        after = {one.host: one for one in store.last_attempts()}
        assert {name: one.evidence for name, one in after.items()} == before
        first, second = store.runs(2)
        answers = [json.loads(store.answer(one.id, "b1"))["result"] for one in (second, first)]
    clocks = [answer["host"].pop("time") for answer in answers]
    assert clocks[0] < clocks[1]
    assert answers[0] == answers[1]


@pytest.mark.usefixtures("province")
def test_the_status_asks_the_servers_when_it_is_told_to(fleet, capsys):
    calm, live = told(capsys, "status"), told(capsys, "status", "--live")
    concerns = {one["concern"] for one in live[1]["matters"]}
    assert concerns == {one["concern"] for one in calm[1]["matters"]}
    assert "unreachable" not in concerns
    fleet.run("b1", ["systemctl", "stop", "ssh"])
    try:
        _code, told_now = told(capsys, "status", "--live")
    finally:
        fleet.run("b1", ["systemctl", "start", "ssh"])
    unreached = [one for one in told_now["matters"] if one["concern"] == "unreachable"]
    assert [one["hosts"] for one in unreached] == [["b1"]]

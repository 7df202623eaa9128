"""``luytre intrusion alerts`` and ``seen``: what is grave is not lost among what is many."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.main import run
from orchestrator.cli.views import intrusion_view
from orchestrator.cli.views.output import console
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.errors import UnreachableError
from orchestrator.model.finding import Severity
from orchestrator.model.watch import FileChange, Lack, WatchStanding
from orchestrator.protect.intrusion.accepting import Look
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def alert(number, kind, severity, at):
    details = {"what": "ban", "source": f"203.0.113.{number % 250}", "jail": "sshd"}
    return Alert("web1", f"{number:032x}", kind, severity, at, "luytre", "seen", details)


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Stand in a workspace with one grave alert, and 250 bans that came after it."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    workspace = load(tmp_path)
    workspace.prepare_state()
    bans = [
        alert(number, AlertKind.BAN, Severity.MEDIUM, NOON + timedelta(minutes=number))
        for number in range(250)
    ]
    grave = alert(999, AlertKind.LOGIN, Severity.CRITICAL, NOON)
    with Store.open(workspace.store_file) as store:
        store.save_alerts("web1", [grave, *bans])


@pytest.fixture
def say(capsys):
    def said(*words):
        capsys.readouterr()
        code = run(["intrusion", *words])
        return code, capsys.readouterr().out

    return said


@pytest.mark.usefixtures("many")
def test_the_gravest_stand_first_and_what_is_left_out_is_told(say):
    code, shown = say("alerts")
    assert code == 3
    assert "critical" in shown.splitlines()[2]
    assert "… and 51 more" in shown
    _code, told = say("alerts", "--output", "json")
    assert len(json.loads(told)["alerts"]) == 251


@pytest.mark.usefixtures("many")
def test_what_is_many_is_seen_at_once(say):
    code, told = say("seen", "--kind", "ban", "--remark", "kept out", "--output", "json")
    assert (code, len(json.loads(told)["seen"])) == (0, 250)
    _code, told = say("alerts", "--output", "json")
    assert [one["severity"] for one in json.loads(told)["alerts"]] == ["critical"]
    assert say("seen", "--kind", "ban", "--remark", "again")[0] == 6


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("words", [(), ("1", "--kind", "ban")])
def test_alerts_are_named_by_numbers_or_by_what_they_are(say, words):
    assert say("seen", *words, "--remark", "x")[0] == 2


def rendered(told, capsys):
    capsys.readouterr()
    console(False).print(told)
    return capsys.readouterr().out


def test_a_host_that_was_not_reached_is_told_with_its_reason(capsys, monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    lost = UnreachableError("web1", "no route to host")
    standing = WatchStanding("web1", NOON, {Lack.UNREACHABLE: lost.message})
    asked = intrusion_view.Asked([standing], [], 0, {}, {"web1": lost})
    shown = rendered(intrusion_view.render_status(asked), capsys)
    assert shown.count("no route to host") == 1
    document = intrusion_view.status_document(asked)
    assert document["lost"] == {"web1": "no route to host"}
    assert document["hosts"][0]["lacks"] == {"unreachable": "no route to host"}


def test_files_that_differ_are_told_though_somebody_saw_the_alert(capsys, monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    standing = WatchStanding("web1", NOON, differ=2)
    asked = intrusion_view.Asked([standing], [], 0, {}, {})
    assert "2 files differ" in rendered(intrusion_view.render_status(asked), capsys)


def test_what_no_run_explains_is_shown_before_it_is_accepted(capsys, monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    ours = [
        FileChange(f"/boot/x{n}", "added", "", "a" * 32, "20261130T080000Z-000001")
        for n in range(90)
    ]
    others = [FileChange(f"/usr/lib/y{n}", "added", "", "b" * 32) for n in range(60)]
    look = Look("web1", NOON, "c" * 64, b"", (*ours, *others))
    shown = rendered(intrusion_view.render_looks([look], []), capsys)
    assert shown.count("/usr/lib/y") == 60
    assert "/boot" not in shown
    assert "90 of them are as runs of ours left them" in shown

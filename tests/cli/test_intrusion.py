"""``luytre intrusion alerts`` and ``seen``: what is grave is not lost among what is many.

``luytre antivirus seen`` does the same for detections.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.main import run
from orchestrator.cli.views import intrusion_view
from orchestrator.cli.views.output import console
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.errors import UnreachableError
from orchestrator.model.finding import Severity
from orchestrator.model.told import Topic
from orchestrator.model.watch import FileChange, Lack, WatchStanding, standing_document
from orchestrator.protect.intrusion.accepting import Look
from orchestrator.protect.intrusion.gaps import note_set_up
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def alert(number, kind, severity, at):
    details = {"what": "ban", "source": f"203.0.113.{number % 250}", "jail": "sshd"}
    return Alert("web1", f"{number:032x}", kind, severity, at, "luytre", "seen", details)


@pytest.fixture
def many(new_workspace):
    """Stand in a workspace with one grave alert, and 250 bans that came after it."""
    workspace = load(new_workspace)
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
@pytest.mark.parametrize(
    ("group", "action"), [("intrusion", "alerts seen"), ("antivirus", "detections seen")]
)
def test_which_alerts_were_seen_and_which_are_not_open_is_told_and_logged(capsys, group, action):
    capsys.readouterr()
    assert run([group, "seen", "2", "3", "--remark", "a test"]) == 0
    assert capsys.readouterr().out == "looked at: 2, 3\n"
    assert run([group, "seen", "3", "4", "9999", "--remark", "a test"]) == 1
    assert capsys.readouterr().out == "looked at: 4\nnot open: 3, 9999\n"
    assert run([group, "seen", "3", "--remark", "again"]) == 6
    capsys.readouterr()
    assert run(["log", "show", "--output", "json"]) == 0
    newest = json.loads(capsys.readouterr().out)["entries"][0]
    assert newest["action"] == action
    assert newest["detail"] == {"numbers": [4], "remark": "a test"}


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("words", [(), ("1", "--kind", "ban")])
def test_alerts_are_named_by_numbers_or_by_what_they_are(say, words):
    assert say("seen", *words, "--remark", "x")[0] == 2


INVENTORY = """\
all:
  hosts:
    web1: {ansible_host: 192.0.2.1}
    web2: {ansible_host: 192.0.2.2}
    win1: {ansible_host: 192.0.2.3, luytre_management: unmanaged}
"""


@pytest.fixture
def two(new_workspace):
    """Stand in a workspace with two servers, and return what opens its store."""
    (new_workspace / "inventories/hosts.yml").write_text(INVENTORY)
    workspace = load(new_workspace)
    workspace.prepare_state()
    return lambda: Store.open(workspace.store_file)


@pytest.mark.usefixtures("two")
def test_before_any_set_up_nobody_is_told_that_all_is_calm(say):
    code, shown = say("alerts")
    assert code == 0
    assert shown == "no server is watched yet: luytre intrusion setup --limit web1,web2\n"
    _code, told = say("alerts", "--output", "json")
    assert json.loads(told) == {"alerts": [], "unwatched": ["web1", "web2"], "unasked": []}


def test_servers_within_the_limit_of_which_no_alert_can_be_known_are_named(say, two):
    with two() as store:
        note_set_up(store, ["web1"])
    _code, shown = say("alerts")
    assert shown.splitlines() == [
        "no alert is open",
        "not watched yet: web2 (next: luytre intrusion setup --limit web2)",
        "nobody has asked yet what they saw: web1 (next: luytre intrusion status --limit web1)",
    ]
    asked = standing_document(WatchStanding("web1", NOON))
    with two() as store:
        store.save_answer("web1", Topic.INTRUSION, {"standing": asked})
        # Set up anew, what it was asked stays known.
        note_set_up(store, ["web1"])
        store.save_alerts("web1", [alert(1, AlertKind.BAN, Severity.MEDIUM, NOON)])
    _code, shown = say("alerts", "--limit", "web1")
    assert "203.0.113.1 was banned" in shown
    assert "next: " not in shown
    _code, shown = say("alerts")
    assert "203.0.113.1 was banned" in shown
    assert shown.splitlines()[-1].startswith("not watched yet: web2 ")
    _code, shown = say("alerts", "--limit", "web2")
    assert shown == "not watched yet: web2 (next: luytre intrusion setup --limit web2)\n"


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

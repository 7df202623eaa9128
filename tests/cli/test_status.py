"""``luytre status``: from the store alone, in the operator's words, with the right exit code."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.drift.record import record_audit
from orchestrator.drift.underway import started
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.patches import Patches
from orchestrator.model.patches import document as patches_document
from orchestrator.model.protection import WAIVED
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.model.told import Topic
from orchestrator.model.vault_alert import Alarm, VaultAlert
from orchestrator.model.vault_alert import document as alarm_document
from orchestrator.model.watch import WatchStanding, standing_document
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace, load

Told = pytest.CaptureFixture[str]
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
NO_ROUTE = "no route \x1b[31mto host"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Return a workspace without any way to its hosts: its inventory is broken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        patch.chdir(tmp_path)
        time.tzset()
        assert run(["init", "--operator", "Trần Thị Bình"]) == 0
        (tmp_path / "inventories" / "hosts.yml").write_text("- this is no inventory")
        made = load(tmp_path)
        made.prepare_state()
        yield made


def audit(
    workspace: Workspace,
    answers: dict[str, Verdict | None],
    *,
    limit: str = "",
    hours_ago: float = 1,
    held: str = "",
) -> None:
    """Record an audit; each host has one grave control, or was not reached."""
    now = datetime.now(UTC) - timedelta(hours=hours_ago)
    with Store.open(workspace.store_file, lambda: now) as store:
        made = store.start_run(NewRun(RunKind.AUDIT, "an", limit=limit))
        audits = []
        for host, verdict in answers.items():
            if verdict is None:
                audits.append(HostAudit(host, Reach.UNREACHABLE, failure=NO_ROUTE))
                continue
            state = StateFinding("sshd", verdict)
            found = Finding(host, "root-login", verdict, Severity.CRITICAL, (state,))
            facts = {"held": held} if held else {}
            audits.append(HostAudit(host, Reach.ANSWERED, (found,), facts=facts))
        controls = [{"id": "root-login", "desired": []}]
        manifests = {name: Manifest.of({"host": name, "controls": controls}) for name in answers}
        waived = {WAIVED: "no data of its own"}
        hosts = {
            name: ManagedHost(name, Endpoint(name, name), variables=waived) for name in answers
        }
        record_audit(store, made, audits, manifests, hosts)
        store.finish_run(made.id, RunStatus.DONE)


def document(capsys: Told, code: int, *options: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["status", "--output", "json", *options]) == code
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def concerns(told: dict[str, object]) -> dict[str, list[str]]:
    matters = told["matters"]
    assert isinstance(matters, list)
    return {one["concern"]: one["hosts"] for one in matters}


def test_a_fresh_workspace_is_told_where_to_begin(workspace: Workspace, capsys: Told) -> None:
    del workspace
    told = document(capsys, 1)
    assert told["next"] == "luytre inventory enroll"
    assert run(["status"]) == 1
    assert "No server was audited yet." in capsys.readouterr().out


def test_all_is_calm_and_says_so(workspace: Workspace, capsys: Told) -> None:
    audit(workspace, {"web1": PASS, "db1": PASS})
    told = document(capsys, 0)
    assert (told["calm"], told["hosts"], told["compliant"]) == (True, 2, 100.0)
    assert told["next"] is None
    assert run(["status"]) == 0
    out = capsys.readouterr().out
    assert "2 servers, compliant: 100.0%" in out
    assert "All is calm." in out


def test_nothing_is_calm_where_the_inventory_is_gone(workspace: Workspace, capsys: Told) -> None:
    workspace.settings.inventory.rename(workspace.directory / "elsewhere")
    assert run(["status"]) == 2
    assert "there is no inventory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answers", "code", "wanted"),
    [
        ({"web1": FAIL, "db1": PASS}, 3, {"open": ["web1"]}),
        ({"web1": PASS, "db1": None}, 4, {"unreachable": ["db1"]}),
        ({"web1": FAIL, "db1": None}, 4, {"unreachable": ["db1"], "open": ["web1"]}),
        ({"web1": ERROR, "db1": None}, 1, {"unreachable": ["db1"], "unread": ["web1"]}),
    ],
)
def test_the_code_is_that_of_what_matters_most(
    workspace: Workspace,
    capsys: Told,
    answers: dict[str, Verdict | None],
    code: int,
    wanted: dict[str, list[str]],
) -> None:
    audit(workspace, answers)
    assert concerns(document(capsys, code)) == wanted


def test_a_server_that_does_not_answer_any_more_is_in_no_percentage(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {"web1": FAIL, "db1": PASS}, hours_ago=2)
    assert document(capsys, 3)["compliant"] == 50.0
    audit(workspace, {"web1": None, "db1": PASS})
    told = document(capsys, 4)
    assert (told["hosts"], told["compliant"]) == (2, 100.0)
    assert told["open"] == {"critical": 1}


def test_audits_grow_stale_after_the_hours_that_the_operator_says(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {"web1": PASS}, hours_ago=30)
    assert concerns(document(capsys, 1)) == {"stale": ["web1"]}
    assert concerns(document(capsys, 0, "--stale", "48")) == {}


def test_a_host_that_left_the_inventory_is_no_longer_spoken_of(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {"web1": PASS, "gone": FAIL}, hours_ago=3)
    audit(workspace, {"web1": PASS}, limit="web1", hours_ago=2)
    assert concerns(document(capsys, 3)) == {"open": ["gone"]}
    audit(workspace, {"web1": PASS, "new": PASS}, hours_ago=1)
    assert document(capsys, 0)["hosts"] == 2


def test_a_host_that_a_killed_change_holds_is_told_with_the_way_to_free_it(
    workspace: Workspace, capsys: Told
) -> None:
    then = datetime.now(UTC) - timedelta(hours=2)
    with Store.open(workspace.store_file, lambda: then) as store:
        killed = store.start_run(NewRun(RunKind.APPLY, "an"))
        store.save_steps(killed.id, ["web1"], "Converge")
    assert concerns(document(capsys, 1)) == {"not_enrolled": [], "cut_off": ["web1"]}
    audit(workspace, {"web1": PASS}, held=f"{killed.id} armed an")
    told = document(capsys, 1)
    assert concerns(told) == {"held": ["web1"]}
    assert told["next"] == f"luytre rollback --run {killed.id} --limit web1"
    audit(workspace, {"web1": PASS}, hours_ago=0.5)
    assert concerns(document(capsys, 0)) == {}


WAIVER = """
- id: root-login-1
  control: root-login
  reason: replaced in the spring
  approver: Lê Văn Cường
  added: {added}
  by: Trần Thị Bình
  until: {until}
  accepted:
    - hosts: [web1, db1]
      observed: ["sshd: "]
"""


@pytest.mark.parametrize(("days", "told"), [(-1, ["web1"]), (0, None), (20, None)])
def test_a_waiver_that_expired_over_a_failure_is_told(
    workspace: Workspace, capsys: Told, days: int, told: list[str] | None
) -> None:
    today = datetime.now().astimezone().date()
    text = WAIVER.format(added=today - timedelta(days=30), until=today + timedelta(days=days))
    workspace.waivers_file.write_text(text)
    audit(workspace, {"web1": FAIL, "db1": PASS})
    found = concerns(document(capsys, 3))
    assert found.get("waiver_expired") == told


def test_a_change_under_way_is_shown_and_is_no_fault(workspace: Workspace, capsys: Told) -> None:
    audit(workspace, {"web1": PASS})
    with (
        Store.open(workspace.store_file) as store,
        started(workspace, store, NewRun(RunKind.APPLY, "Trần Thị Bình")) as made,
    ):
        store.save_steps(made.id, ["web1"], "Converge")
        told = document(capsys, 0)
        assert told["under_way"] == [{"run": made.id, "kind": "apply"}]
        assert run(["status"]) == 0
        assert "under way: apply by Trần Thị Bình" in capsys.readouterr().out


def test_what_hosts_say_is_shown_safely_and_the_next_step_last(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {f"web{n}": None for n in range(40)} | {"db1": FAIL})
    assert run(["status"]) == 4
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "40 servers were not reached" in out
    assert all(len(line.rstrip()) <= 100 for line in out.splitlines())
    assert out.splitlines()[-1] == "next: luytre inventory check"


def test_updates_of_which_nothing_is_known_are_a_fault_and_no_update(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {"web1": PASS})
    with Store.open(workspace.store_file) as store:
        unknown = Patches("web1", unknown="its lists are older than a week")
        store.save_answer("web1", Topic.PATCHES, patches_document(unknown))
    assert concerns(document(capsys, 1)) == {"updates_unknown": ["web1"]}
    assert run(["status"]) == 1
    assert "1 server: it is not known which updates wait: web1" in capsys.readouterr().out


def test_the_gravest_alert_is_shown_first_and_the_files_that_differ_are_counted(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {f"web{n}": PASS for n in range(1, 9)})
    with Store.open(workspace.store_file) as store:
        for number in range(1, 9):
            name, at = f"web{number}", datetime.now(UTC)
            grave = Severity.CRITICAL if number == 8 else Severity.MEDIUM
            told = {"what": "file_added", "path": f"/of-{name}"}
            alert = Alert(name, "0" * 32, AlertKind.INTEGRITY, grave, at, "luytre", "", told)
            store.save_alerts(name, [alert])
            standing = standing_document(WatchStanding(name, at, differ=2))
            store.save_answer(name, Topic.INTRUSION, {"standing": standing})
    assert run(["status"]) == 3
    shown = capsys.readouterr().out.splitlines()
    (alerts,) = (at for at, text in enumerate(shown) if "alerts that nobody" in text)
    assert shown[alerts + 1].strip() == "web8: new file: /of-web8"
    assert any(text.startswith("16 files differ from what was accepted") for text in shown)


def test_the_alarms_of_vaults_are_told_until_they_are_asked_again(
    workspace: Workspace, capsys: Told
) -> None:
    audit(workspace, {"web1": PASS})
    alarm = VaultAlert("vault1", "web1", Alarm.RETENTION, "a flood")
    with Store.open(workspace.store_file) as store:
        store.save_answer("vault1", Topic.VAULT, {"alerts": [alarm_document(alarm)]})
    told = document(capsys, 3)
    assert told["next"] == "luytre backup status"
    (matter,) = told["matters"]
    assert (matter["concern"], matter["hosts"], matter["number"]) == ("vault_alarm", ["vault1"], 1)
    assert "a flood" in matter["reasons"]["vault1"]
    with Store.open(workspace.store_file) as store:
        store.save_answer("vault1", Topic.VAULT, {"alerts": []})
    assert document(capsys, 0)["calm"]

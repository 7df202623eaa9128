"""``luytre waiver`` as it is called, over a store that holds an audit."""

import json
import zlib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.baseline.waiver_file import load_waivers
from orchestrator.cli.main import run
from orchestrator.drift.audit import findings_of
from orchestrator.drift.record import record_audit
from orchestrator.fleet.answer import document, result_of
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace, load

CONTROL, OTHER = "ssh-root-login", "ssh-max-auth-tries"
HOSTS = """\
all:
  children:
    web:
      hosts: {web1: {ansible_host: 192.0.2.1}, web2: {ansible_host: 192.0.2.2}}
    db:
      hosts: {db1: {ansible_host: 192.0.2.3}}
"""
UNTIL = (date.today() + timedelta(days=30)).isoformat()
ASKED = {
    "--limit": "web",
    "--until": UNTIL,
    "--reason": "The backup logs in as root",
    "--approver": "Lê Thị Hoa",
}
Words = list[str]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a workspace of three hosts, the operator in it: the web servers fail, db1 passes."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    (tmp_path / "inventories/hosts.yml").write_text(HOSTS)
    made = load(tmp_path)
    made.prepare_state()
    audited(made, {"web1": ["yes"], "web2": ["yes"], "db1": []})
    return made


def audited(workspace: Workspace, failing: Mapping[str, list[str] | None]) -> None:
    """Record an audit: what the failing states of a control had; nothing failed; None: error."""
    audits, manifests, hosts = [], {}, {}
    for host, values in failing.items():
        states = [state("fail", value) for value in values or []] + [state("pass", "no")]
        verdict = "error" if values is None else "fail" if values else "pass"
        if values is None:
            states = [{**state("error", ""), "detail": "sshd -T failed"}]
        told = {"control": CONTROL, "verdict": verdict, "states": states}
        answer = {"format": 1, "result": {"findings": [told]}}
        raw = zlib.compress(json.dumps(answer).encode())
        controls = [{"id": CONTROL, "severity": "high", "desired": []}]
        manifests[host] = Manifest.of({"host": host, "controls": controls})
        hosts[host] = ManagedHost(host, Endpoint(host, "192.0.2.1"))
        result = result_of(host, document(host, raw))
        found = findings_of(host, manifests[host], result)
        audits.append(HostAudit(host, Reach.ANSWERED, found, raw=raw))
    with Store.open(workspace.store_file) as store:
        made = store.start_run(NewRun(RunKind.AUDIT, "Trần Thị Bình"))
        waivers = load_waivers(workspace.waivers_file)
        record_audit(store, made, map(waivers.marked, audits), manifests, hosts)
        store.finish_run(made.id, RunStatus.DONE)


def state(verdict: str, observed: str) -> dict[str, Any]:
    return {"kind": "sshd", "verdict": verdict, "expected": "no", "observed": observed}


def asked(*arguments: str, **changes: str) -> Words:
    options = {**ASKED, **{f"--{name}": value for name, value in changes.items()}}
    words = [word for pair in options.items() for word in pair]
    return ["waiver", "add", *(arguments or (CONTROL,)), *words]


def answer(capsys: pytest.CaptureFixture[str], words: Words) -> Any:
    capsys.readouterr()
    assert run([*words, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def standing(workspace: Workspace) -> dict[str, list[str]]:
    with Store.open(workspace.store_file) as store:
        return {one.host: sorted(one.marks) for one in store.findings()}


def drift(capsys: pytest.CaptureFixture[str], host: str) -> list[tuple[str, str]]:
    capsys.readouterr()
    run(["drift", "show", "--limit", host, "--since", "2026-01-01", "--output", "json"])
    told = json.loads(capsys.readouterr().out)["drift"]
    return [(one["event"], one["cause"]) for one in told]


def test_what_was_seen_is_accepted_and_written_down(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    given = answer(capsys, asked(limit="web,db"))
    assert given["waiver"] == "ssh-root-login-1"
    assert given["accepted"] == [{"hosts": ["web1", "web2"], "observed": ["sshd: yes"]}]
    assert given["left_out"] == {"db1": "passes"}
    (kept,) = load_waivers(workspace.waivers_file).every
    assert (kept.by, kept.limit, kept.until.isoformat()) == ("Trần Thị Bình", "web,db", UNTIL)
    text = workspace.waivers_file.read_text()
    assert "The backup logs in as root" in text
    assert "Lê Thị Hoa" in text


def test_a_waived_failure_stays_visible_and_is_drift_by_the_waiver(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked()) == 0
    audited(workspace, {"web1": ["yes"], "web2": ["prohibit-password"], "db1": []})
    assert standing(workspace) == {"web1": ["waived"], "web2": [], "db1": []}
    assert drift(capsys, "web1") == [("resolved", "waiver")]
    assert drift(capsys, "web2") == [("changed", "host")]


def test_a_value_that_changes_under_a_waiver_opens_a_new_failure(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked()) == 0
    audited(workspace, {"web1": ["yes"]})
    audited(workspace, {"web1": ["prohibit-password"]})
    assert standing(workspace)["web1"] == []
    assert drift(capsys, "web1")[0] == ("opened", "host")


def test_one_that_is_ended_lets_the_failure_count_again(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked()) == 0
    audited(workspace, {"web1": ["yes"]})
    ended = answer(capsys, ["waiver", "expire", "ssh-root-login-1"])
    assert (ended["state"], ended["ended_by"]) == ("ended", "Trần Thị Bình")
    audited(workspace, {"web1": ["yes"]})
    assert standing(workspace)["web1"] == []
    assert drift(capsys, "web1")[0] == ("opened", "waiver")
    assert run(["waiver", "expire", "ssh-root-login-1"]) == 6


def test_every_failing_state_is_accepted(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    audited(workspace, {"web1": ["yes", "also"]})
    given = answer(capsys, asked(limit="web1"))
    assert given["accepted"][0]["observed"] == ["sshd: yes", "sshd: also"]
    audited(workspace, {"web1": ["yes"]})
    assert standing(workspace)["web1"] == []


@pytest.mark.usefixtures("workspace")
def test_who_added_and_ended_what_stands_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(asked()) == 0
    assert run(["waiver", "expire", "ssh-root-login-1"]) == 0
    ended, added = answer(capsys, ["log", "show"])["entries"][:2]
    assert (added["action"], ended["action"]) == ("waiver added", "waiver ended")
    assert added["operator"] == "Trần Thị Bình"
    assert added["detail"] == {
        "waiver": "ssh-root-login-1",
        "control": CONTROL,
        "hosts": ["web1", "web2"],
        "reason": "The backup logs in as root",
        "approver": "Lê Thị Hoa",
        "until": UNTIL,
    }
    assert answer(capsys, ["log", "verify"])["entries"] >= 3


def test_the_list_tells_the_urgent_ones_first(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["waiver", "list"]) == 0
    assert "No waivers." in capsys.readouterr().out
    soon = (date.today() + timedelta(days=3)).isoformat()
    for until in (UNTIL, soon):
        assert run(asked(limit="web1" if until == UNTIL else "web2", until=until)) == 0
    expired = workspace.waivers_file.read_text().replace("login-2", "login-9")
    long_ago = expired.replace(soon, "2026-01-31").replace(
        f"added: {date.today()}", "added: 2026-01-01"
    )
    later = long_ago.replace(UNTIL, "2026-02-28").replace("login-1", "login-8")
    workspace.waivers_file.write_text(
        workspace.waivers_file.read_text() + later.partition("\n\n")[2]
    )
    assert run(["waiver", "expire", "ssh-root-login-1"]) == 0
    capsys.readouterr()
    assert run(["waiver", "list"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ssh-")]
    assert [line.split()[0] for line in told] == [
        "ssh-root-login-9",
        "ssh-root-login-8",
        "ssh-root-login-2",
    ]
    assert "EXPIRED on 2026-01-31" in told[0]
    assert "3 days left" in told[2]
    states = {
        one["waiver"]: one["state"]
        for one in answer(capsys, ["waiver", "list", "--all"])["waivers"]
    }
    assert states == {
        "ssh-root-login-1": "ended",
        "ssh-root-login-2": "ending",
        "ssh-root-login-8": "expired",
        "ssh-root-login-9": "expired",
    }


def test_a_control_that_left_the_baseline_is_told(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked()) == 0
    text = workspace.waivers_file.read_text().replace(f"control: {CONTROL}", "control: gone-away")
    workspace.waivers_file.write_text(text)
    capsys.readouterr()
    assert run(["waiver", "list"]) == 0
    assert "no control gone-away any more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (asked("ssh-rot-login"), 2, "did you mean: ssh-root-login"),
        (asked(limit="web9"), 2, "matches no host"),
        (asked(until="2020-01-01"), 2, "not in the future"),
        (asked(until=date.today().isoformat()), 2, "not in the future"),
        (asked(until="2222-01-01"), 2, "too far"),
        (asked(until="tomorrow"), 2, "write 2026-11-23"),
        (asked(reason="  "), 2, "must be words"),
        (asked(reason="two\nlines"), 2, "must be words"),
        (asked(approver=""), 2, "must be words"),
        (asked(limit="db1"), 6, "db1: passes"),
        (asked(OTHER), 6, "web1: not audited"),
        (["waiver", "expire", "ssh-root-login-7"], 2, "there is no waiver"),
    ],
)
def test_what_cannot_be_accepted_is_refused_and_nothing_is_written(
    workspace: Workspace,
    words: Words,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert run(words) == code
    assert said in capsys.readouterr().err
    assert not workspace.waivers_file.exists()
    with Store.open(workspace.store_file) as store:
        assert [one.action for one in store.log.newest()] == ["audit"]


def test_what_could_not_be_read_cannot_be_accepted(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    audited(workspace, {"web1": None, "web2": ["yes"]})
    assert run(asked(limit="web1")) == 6
    assert "could not be read: sshd -T failed" in capsys.readouterr().err
    assert answer(capsys, asked())["left_out"]["web1"].startswith("could not be read")


def test_the_same_is_not_accepted_twice_but_may_be_prolonged(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked()) == 0
    assert run(asked()) == 6
    assert f"is waived by ssh-root-login-1 until {UNTIL}" in capsys.readouterr().err
    longer = (date.today() + timedelta(days=90)).isoformat()
    assert answer(capsys, asked(until=longer))["waiver"] == "ssh-root-login-2"
    assert len(load_waivers(workspace.waivers_file).every) == 2


def test_a_broken_file_stops_every_command_that_needs_it_at_its_place(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.waivers_file.write_text("- id: a\n  nonsense: 1\n")
    for words in (asked(), ["waiver", "list"], ["waiver", "expire", "a"], ["audit"]):
        assert run(words) == 2
        assert "waivers.yml:2:3: unknown field 'nonsense'" in capsys.readouterr().err
    assert workspace.waivers_file.read_text() == "- id: a\n  nonsense: 1\n"


def test_a_file_that_cannot_be_written_is_told_and_stays(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.waivers_file.mkdir()
    assert run(asked()) == 2
    assert "waivers.yml" in capsys.readouterr().err

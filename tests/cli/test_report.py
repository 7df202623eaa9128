"""``luytre report``: from a workspace with a real store and inventory to a file."""

import json
import re
import sqlite3
import stat
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.baseline.load import load_baseline
from orchestrator.cli.main import run
from orchestrator.drift.record import record_audit
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.report.chapter_words import chapter_name
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace, load

INVENTORY = """\
all:
  vars: {luytre_agency: Sở Y tế, luytre_level: 2}
  hosts:
    web1: {ansible_host: 192.0.2.1}
    web2: {ansible_host: 192.0.2.2}
    win1: {ansible_host: 192.0.2.3, luytre_management: unmanaged}
"""
BEFORE = {"ssh-root-login": Verdict.FAIL, "network-syncookies": Verdict.FAIL, "gone": Verdict.PASS}
AFTER = {"ssh-root-login": Verdict.PASS, "network-syncookies": Verdict.FAIL}


@pytest.fixture
def workspace(new_workspace: Path) -> Workspace:
    """Return a workspace with three servers; the tests stand in it."""
    (new_workspace / "inventories" / "hosts.yml").write_text(INVENTORY)
    made = load(new_workspace)
    made.prepare_state()
    return made


def answered(host: str, verdicts: dict[str, Verdict]) -> HostAudit:
    """Return an audit with the answer that the agent would have sent."""
    findings = tuple(
        Finding(
            host, control, verdict, Severity.HIGH, (StateFinding("sshd", verdict, "no", "yes"),)
        )
        for control, verdict in verdicts.items()
    )
    result = {"findings": [{"control": c, "verdict": v.value} for c, v in verdicts.items()]}
    raw = zlib.compress(json.dumps({"format": 1, "result": result}).encode())
    return HostAudit(host, Reach.ANSWERED, findings, raw=raw)


def audit(store: Store, *audits: HostAudit) -> None:
    """Record one audit of the fleet."""
    made = store.start_run(NewRun(RunKind.AUDIT, "Trần Thị Bình", "cis-level1-server"))
    manifests = {
        one.host: Manifest.of(
            {
                "host": one.host,
                "profile": "cis-level1-server",
                "controls": [{"id": f.control, "desired": []} for f in one.findings],
            }
        )
        for one in audits
    }
    hosts = {name: ManagedHost(name, Endpoint(name, "192.0.2.1")) for name in manifests}
    record_audit(store, made, audits, manifests, hosts)
    store.finish_run(made.id, RunStatus.DONE)


@pytest.fixture
def campaign(workspace: Workspace) -> Workspace:
    """Return the workspace after: audit, an apply that web2 took back, an audit without web2."""
    start = datetime.now(UTC) - timedelta(hours=20)
    ticks = iter(start + timedelta(minutes=n) for n in range(1000))
    with Store.open(workspace.store_file, lambda: next(ticks)) as store:
        audit(store, answered("web1", BEFORE), answered("web2", BEFORE), answered("old", BEFORE))
        change = store.start_run(NewRun(RunKind.APPLY, "Lê Văn Cường"))
        store.save_host_outcome(change.id, HostOutcome("web1", Outcome.CONFIRMED))
        store.save_host_outcome(change.id, HostOutcome("web2", Outcome.ROLLED_BACK, "no login"))
        store.finish_run(change.id, RunStatus.DONE)
        lost = HostAudit("web2", Reach.UNREACHABLE, failure="no route to host")
        audit(store, answered("web1", AFTER), lost)
    return workspace


def words(page: str) -> str:
    """Return a page without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_the_report_tells_the_campaign_from_the_store(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "html", "--out", "r.html", "--parent", "UBND tỉnh"]) == 0
    assert "(3 servers)" in capsys.readouterr().out
    file = campaign.directory / "r.html"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = words(file.read_text(encoding="utf-8"))
    assert "UBND TỈNH SỞ Y TẾ" in text
    assert "1 /3 servers assessed" in text
    assert "web1 2 33.3% 50.0%" in text
    assert "web2 unreachable" in text
    assert "web2 unreachable no route to host" in text
    assert "win1 Sở Y tế cannot be managed" in text
    assert "1 server was not reached: web2" in text
    assert "Audited before, but no longer in the inventory: old." in text
    assert "Lê Văn Cường" in text
    assert "web2 : rolled back" in text
    assert "web2 apply: rolled back no login" in text
    assert "resolved: 1" in text


def test_chapters_are_compared_with_the_first_audit(campaign: Workspace) -> None:
    assert run(["report", "html", "--out", "r.html", "--limit", "web1"]) == 0
    text = words((campaign.directory / "r.html").read_text(encoding="utf-8"))
    chapter = load_baseline(campaign.baseline_dirs).controls["ssh-root-login"].chapter
    assert f"{chapter_name(chapter)} 1 /1 100.0% +100.0" in text
    assert "no longer in the inventory" not in text


def test_a_time_that_is_to_come_is_refused(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "html", "--since", "2999-01-01"]) == 2
    assert "the time ends before it begins" in capsys.readouterr().err
    assert not list(campaign.directory.glob("*.html"))


def test_the_report_can_go_to_a_pipe(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "html", "--out", "-"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert not list(campaign.directory.glob("*.html"))


def test_programs_get_the_name_of_the_file(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "html", "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["servers"] == 3
    assert Path(told["file"]).parent == campaign.directory
    assert Path(told["file"]).is_file()


def test_without_an_audit_there_is_nothing_to_report(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "html"]) == 2
    assert "luytre audit" in capsys.readouterr().err
    assert not list(workspace.directory.glob("*.html"))


def test_a_place_that_cannot_be_written_is_told(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(campaign.directory / "none" / "r.html")
    assert run(["report", "html", "--out", out]) == 2
    assert out in capsys.readouterr().err


def test_what_was_altered_in_the_store_is_not_reported_on(
    campaign: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(campaign.store_file) as database:
        database.execute("update summary set verdicts = replace(verdicts, 'fail', 'pass')")
    assert run(["report", "html"]) == 1
    assert "altered" in capsys.readouterr().err

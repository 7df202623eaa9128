"""One flow: what the report says of a fortnight is what status, drift and audits say of it."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.cli.main import run
from orchestrator.cli.report_data import Wanted, gather
from orchestrator.model.finding import Verdict
from orchestrator.model.status import Concern
from orchestrator.report import digest, scores
from orchestrator.report.compliance import Judged, percent
from orchestrator.report.data import ReportData
from orchestrator.report.digest import Doubt
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace
from tests.report import fortnight

Told = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return fortnight.fill(tmp_path_factory.mktemp("province") / "desk", controls=30)


@pytest.fixture(scope="module")
def data(province: Workspace) -> ReportData:
    return gather(province, Wanted())


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def document(province: Workspace, capsys: Told, *command: str) -> dict[str, Any]:
    capsys.readouterr()
    run(["--workspace", str(province.directory), *command, "--output", "json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_the_score_and_what_matters_are_those_of_the_status(
    province: Workspace, data: ReportData, capsys: Told
) -> None:
    told = document(province, capsys, "status")
    whole = scores.overall(data)
    assert told["compliant"] == round(percent(whole.after) or 0, 2)
    assert told["open"] == {severity.value: n for severity, n in whole.open.items()}
    assert sum(one.grave for one in scores.by_agency(data)) == whole.grave
    unread = [one.number for one in data.matters if one.concern is Concern.UNREAD]
    assert unread == [whole.unread]
    concerns = [(one.concern.value, list(one.hosts), one.number) for one in data.matters]
    assert concerns == [
        (one["concern"], one["hosts"], one["number"] if counted else 0)
        for one, (_concern, _hosts, counted) in zip(told["matters"], concerns, strict=True)
    ]
    assert {"unreachable", "stale", "open", "waiver_expired"} <= {one[0] for one in concerns}


def test_the_changes_are_those_of_drift_show(
    province: Workspace, data: ReportData, capsys: Told
) -> None:
    since = datetime.now().astimezone() - timedelta(days=30)
    told = document(province, capsys, "drift", "show", "--since", since.isoformat())
    assert Counter(one["event"] for one in told["drift"]) == {
        event.value: n for event, n in digest.events(data.drift)
    }
    assert told["drift"]


def test_the_trend_is_that_of_drift_trend(
    province: Workspace, data: ReportData, capsys: Told
) -> None:
    told = document(province, capsys, "drift", "trend", "--by", "agency")
    assert data.trend is not None
    for line, shown in zip(data.trend.lines, told["lines"], strict=True):
        assert line.name == shown["name"]
        values = [None if p.percent is None else round(p.percent, 2) for p in line.points]
        assert values == [point["compliant"] for point in shown["points"]]


def test_each_server_stands_as_its_last_audit_left_it(
    province: Workspace, data: ReportData
) -> None:
    with Store.open(province.store_file) as store:
        attempts = {one.host: one for one in store.last_attempts()}
    for host in data.assessed:
        counts = attempts[host.name].counts
        assert counts is not None
        assert host.after is not None
        assert Judged.of(host.after) == Judged.of(counts)
    assert len(data.assessed) == 9


def test_who_is_in_the_dark_is_told_with_the_reason(data: ReportData) -> None:
    told = {host.name: found for host, found in digest.doubts(data)}
    assert told == {
        fortnight.UNMANAGED: (Doubt.UNMANAGED,),
        fortnight.NEVER: (Doubt.NEVER,),
        fortnight.LOST: (Doubt.UNREACHABLE,),
        fortnight.STALE: (Doubt.STALE,),
        fortnight.AUDIT_ONLY: (Doubt.AUDIT_ONLY,),
    }


def test_waived_failures_are_those_that_a_waiver_in_force_covers(data: ReportData) -> None:
    hosts = {one.host for one in digest.waived_failures(data)}
    assert hosts == {"syt-web-01", "syt-csdl-01", "stc-kho-01"}
    assert scores.overall(data).judged.waived == 3
    states = {waiver.id: state.value for waiver, _hosts, state in digest.waivers(data)}
    assert states == {
        "ssh-root-login-1": "active",
        "ssh-root-login-2": "ending",
        "ssh-root-login-3": "expired",
    }


def test_a_server_that_became_unmanaged_is_in_no_figure(province: Workspace) -> None:
    inventory = province.directory / "inventories" / "hosts.yml"
    text = inventory.read_text(encoding="utf-8")
    changed = text.replace("audit-only", "unmanaged")
    assert changed != text
    before = gather(province, Wanted())
    inventory.write_text(changed, encoding="utf-8")
    try:
        after = gather(province, Wanted())
    finally:
        inventory.write_text(text, encoding="utf-8")
    assert {host.name for host in before.assessed} - {host.name for host in after.assessed} == {
        fortnight.AUDIT_ONLY
    }
    assert not [one for one in after.findings if one.host == fortnight.AUDIT_ONLY]


def test_the_operator_says_when_an_audit_is_too_old(province: Workspace) -> None:
    patient = gather(province, Wanted(stale_after=timedelta(days=30)))
    assert not [host for host in patient.hosts if host.stale and host.audited]
    strict = gather(province, Wanted(stale_after=timedelta(minutes=30)))
    assert all(host.stale for host in strict.hosts)
    assert scores.overall(strict).after == scores.overall(patient).after


def test_the_report_begins_where_the_operator_says(province: Workspace, data: ReportData) -> None:
    since = datetime.now(UTC) - timedelta(days=4)
    recent = gather(province, Wanted(since=since))
    assert recent.since == since
    assert all(one.at >= since for one in recent.drift)
    assert 0 < len(recent.drift) < len(data.drift)
    assert recent.trend is not None
    assert recent.trend.edges[0] <= since
    assert scores.overall(recent).before == scores.overall(data).before


def test_a_limit_tells_of_its_servers_only(province: Workspace, data: ReportData) -> None:
    part = gather(province, Wanted(limit="syt-*"))
    assert {host.name for host in part.hosts} == set(fortnight.AGENCIES["Sở Y tế"])
    (mine,) = scores.by_agency(part)
    (same,) = [one for one in scores.by_agency(data) if one.name == "Sở Y tế"]
    assert (mine.after, mine.open) == (same.after, same.open)
    assert {one.host for one in part.drift} <= {host.name for host in part.hosts}
    assert {host for one in part.matters for host in one.hosts} <= {h.name for h in part.hosts}


def test_counts_leave_out_nothing(data: ReportData) -> None:
    for host in data.assessed:
        assert host.after is not None
        judged = sum(host.after.verdicts.get(one, 0) for one in Verdict)
        in_chapters = sum(sum(c.after.verdicts.values()) for c in host.chapters if c.after)
        assert judged == in_chapters

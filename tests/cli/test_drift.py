"""``luytre drift show``: the exit code says whether something is different, and still is."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.drift.record import record_audit
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace, load

START = datetime(2026, 1, 15, tzinfo=UTC)
CONTROL = "ssh-root-login"
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Return a workspace whose operator stands in it, in a place with UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.chdir(tmp_path)
        assert run(["init", "--operator", "Trần Thị Bình"]) == 0
        made = load(tmp_path)
        made.prepare_state()
        yield made
    time.tzset()


def audited(workspace: Workspace, *verdicts: Verdict) -> None:
    """Record audits of web1, one an hour: the verdicts of one control, in their order."""
    ticks = iter(START + timedelta(minutes=30 * n) for n in range(1000))
    with Store.open(workspace.store_file, lambda: next(ticks)) as store:
        for number, verdict in enumerate(verdicts):
            state = StateFinding("sshd", verdict, "no", verdict.value)
            finding = Finding("web1", CONTROL, verdict, Severity.HIGH, (state,))
            audit = HostAudit("web1", Reach.ANSWERED, (finding,), raw=f"{number}".encode())
            made = store.start_run(NewRun(RunKind.AUDIT, "Trần Thị Bình"))
            manifest = Manifest.of({"host": "web1", "controls": [{"id": CONTROL, "desired": []}]})
            hosts = {"web1": ManagedHost("web1", Endpoint("web1", "192.0.2.1"))}
            record_audit(store, made, [audit], {"web1": manifest}, hosts)
            store.finish_run(made.id, RunStatus.DONE)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([PASS, FAIL], 3),
        ([PASS, FAIL, PASS], 0),
        ([FAIL, PASS], 0),
        ([PASS, FAIL, PASS, FAIL], 3),
        ([PASS, ERROR], 3),
    ],
    ids=str,
)
def test_what_was_mended_is_shown_but_is_no_drift(
    workspace: Workspace, verdicts: list[Verdict], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    audited(workspace, *verdicts)
    assert run(["drift", "show"]) == code
    assert CONTROL in capsys.readouterr().out
    assert run(["drift", "show", "--since", "2026-01-01"]) == code


def test_the_officer_may_name_a_day_or_a_minute(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    audited(workspace, PASS, FAIL, PASS)
    (everything, later, none) = (
        told(capsys, ["drift", "show", "--since", since])
        for since in ("2026-01-15", "2026-01-15 02:45", "2026-01-15T14:30:00+07:00")
    )
    assert [len(events) for events in (everything, later, none)] == [2, 1, 0]


def test_the_drift_of_a_server_that_is_only_audited_is_shown(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = "all: {hosts: {web1: {luytre_management: audit-only}, web2: {}}}\n"
    workspace.settings.inventory.joinpath("hosts.yml").write_text(hosts)
    audited(workspace, PASS, FAIL)
    assert run(["drift", "show", "--limit", "web1"]) == 3
    assert CONTROL in capsys.readouterr().out
    assert run(["drift", "show", "--limit", "web2"]) == 0


def told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> list[str]:
    capsys.readouterr()
    run([*arguments, "--output", "json"])
    return [one["event"] for one in json.loads(capsys.readouterr().out)["drift"]]


@pytest.mark.parametrize("since", ["yesterday", "23/11/2026", "2026-13-01", ""])
def test_a_time_that_is_not_understood_is_answered_in_words_with_an_example(
    workspace: Workspace,  # noqa: ARG001 - the tests stand in it
    since: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["drift", "show", "--since", since]) == 2
    said = capsys.readouterr().err
    assert "%" not in said
    assert "--since" in said
    assert "2026-11-23" in said
    assert "14:30" in said

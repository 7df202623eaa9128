"""``luytre drift history`` and ``trend``: what happened, and how it went."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.cli.views.trend_view import sparkline
from orchestrator.drift.record import record_audit
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import Counts, NewRun, RunKind, RunStatus
from orchestrator.report.series import Point
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

Told = pytest.CaptureFixture[str]
PASS, FAIL = Verdict.PASS, Verdict.FAIL
START = datetime(2026, 1, 15, tzinfo=UTC)
# Day by day: the verdict of each control on each host.
DAYS = [
    {"web1": {"ssh-root-login": PASS, "banner": PASS}, "db1": {"banner": FAIL}},
    {"web1": {"ssh-root-login": FAIL, "banner": PASS}, "db1": {"banner": PASS}},
    {"web1": {"ssh-root-login": PASS, "banner": FAIL}, "db1": {"banner": PASS}},
]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path) -> Iterator[None]:
    """Stand in a workspace with three days of audits, in a place with UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUYTRE_LANG", "en")
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.chdir(tmp_path)
        assert run(["init", "--operator", "Trần Thị Bình"]) == 0
        made = load(tmp_path)
        made.prepare_state()
        now = [START]
        with Store.open(made.store_file, lambda: now[0]) as store:
            for number, answers in enumerate(DAYS):
                now[0] = START + timedelta(days=number)
                audit(store, answers)
        yield
    time.tzset()


def audit(store: Store, answers: dict[str, dict[str, Verdict]]) -> None:
    made = store.start_run(NewRun(RunKind.AUDIT, "Trần Thị Bình"))
    audits, manifests = [], {}
    for host, verdicts in answers.items():
        found = tuple(
            Finding(host, c, v, Severity.HIGH, (StateFinding("sshd", v, "no", f"{v} \x1b[31m"),))
            for c, v in verdicts.items()
        )
        audits.append(HostAudit(host, Reach.ANSWERED, found, raw=f"{host}{verdicts}".encode()))
        manifests[host] = Manifest.of({"host": host, "controls": [{"id": c} for c in verdicts]})
    hosts = {name: ManagedHost(name, Endpoint(name, name), "Sở Y tế") for name in answers}
    record_audit(store, made, audits, manifests, hosts)
    store.finish_run(made.id, RunStatus.DONE)


def told(capsys: Told, *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["drift", *arguments, "--output", "json"]) == 0
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def events(capsys: Told, *arguments: str) -> list[tuple[str, str, str]]:
    drift = told(capsys, "history", *arguments)["drift"]
    assert isinstance(drift, list)
    return [(one["host"], one["control"], one["event"]) for one in drift]


ROOT = ("web1", "ssh-root-login")
ALL = [
    ("web1", "banner", "regressed"),
    (*ROOT, "resolved"),
    ("db1", "banner", "resolved"),
    (*ROOT, "regressed"),
]


def test_history_tells_everything_newest_first(capsys: Told) -> None:
    assert sorted(events(capsys)) == sorted(ALL)
    assert [day for _host, _control, day in events(capsys, "--control", "ssh-root-login")] == [
        "resolved",
        "regressed",
    ]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--host", "db1"], [ALL[2]]),
        (["--host", "w*"], [ALL[0], ALL[1], ALL[3]]),
        (["--control", "ban*", "--host", "web1"], [ALL[0]]),
        (["--since", "2026-01-17"], ALL[:2]),
        (["--until", "2026-01-17"], ALL[2:]),
        (["--since", "2026-01-16 00:00", "--until", "2026-01-16 12:00", "--host", "web1"], ALL[3:]),
    ],
)
def test_history_is_narrowed(
    capsys: Told, arguments: list[str], wanted: list[tuple[str, str, str]]
) -> None:
    assert sorted(events(capsys, *arguments)) == sorted(wanted)


def test_history_that_is_cut_says_so(capsys: Told) -> None:
    cut = told(capsys, "history", "--number", "3")
    assert cut["more"] is True
    assert len(cut["drift"]) == 3  # type: ignore[arg-type]
    assert run(["drift", "history", "--number", "3"]) == 0
    assert "--number" in capsys.readouterr().out
    assert told(capsys, "history", "--number", "4")["more"] is False


def test_history_shows_the_hosts_words_safely_in_a_hundred_columns(capsys: Told) -> None:
    assert run(["drift", "history"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert all(len(line.rstrip()) <= 100 for line in out.splitlines())


def test_a_name_that_the_store_never_heard_of_is_the_users_error(capsys: Told) -> None:
    assert run(["drift", "history", "--host", "wep1"]) == 2
    assert "did you mean: web1?" in capsys.readouterr().err


def test_the_trend_is_a_line_of_marks_per_agency(capsys: Told) -> None:
    span = ["--since", "2026-01-14 12:00", "--until", "2026-01-18"]
    assert run(["drift", "trend", *span]) == 0
    out = capsys.readouterr().out
    assert "Sở Y tế" in out
    assert "·▂·" in out
    document = told(capsys, "trend", *span)
    points = document["lines"][0]["points"]  # type: ignore[index]
    assert [p["compliant"] for p in points if p["compliant"] is not None] == [66.67] * 3
    assert {p["hosts"] for p in points} == {0, 2}
    assert points == document["all"]


def test_the_trend_by_host_tells_each_apart(capsys: Told) -> None:
    document = told(
        capsys, "trend", "--by", "host", "--since", "2026-01-14", "--until", "2026-01-18"
    )
    lines = {
        one["name"]: [p["compliant"] for p in one["points"] if p["hosts"]]
        for one in document["lines"]  # type: ignore[attr-defined]
    }
    assert lines == {"db1": [0, 100, 100], "web1": [100, 50, 50]}


def test_a_time_without_an_audit_is_said_to_be_one(capsys: Told) -> None:
    assert run(["drift", "trend", "--until", "2020-01-01"]) == 0
    assert "No whole audit" in capsys.readouterr().out
    assert run(["drift", "trend", "--since", "2026-02-01", "--until", "2026-01-01"]) == 2


def test_marks_rise_with_compliance_and_gaps_are_seen() -> None:
    values = (None, 50, 60, 99.9, 100)
    counts = [
        None if v is None else Counts({PASS: int(v * 10), FAIL: 1000 - int(v * 10)}) for v in values
    ]
    points = [Point(START, one) for one in counts]
    assert sparkline(points, 50, "▁▂▃▄▅▆▇█", "·") == "·▁▂▇█"

"""Compliance over time is told from whole audits, by the agency that a host had then."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.drift.trend import MOST_PERIODS, periods, trend
from orchestrator.model.finding import Finding, HostAudit, Reach, Severity, StateFinding, Verdict
from orchestrator.model.record import Advance, AuditedHost, NewRun, RunKind
from orchestrator.report.series import By
from orchestrator.store.repository import Store

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = [START + timedelta(days=n) for n in range(4)]
CHAPTERS = {"root-login": "ssh", "ciphers": "ssh", "umask": "accounts"}
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


class Province:
    """A store whose clock is set by hand."""

    def __init__(self, store, now):
        self.store = store
        self.now = now

    def audit(self, day, answers, agency="Health", scope=""):
        """Audit hosts (host → control → verdict, or None: unreachable) at noon of a day."""
        self.now[0] = DAYS[day] + timedelta(hours=12)
        run = self.store.start_run(NewRun(RunKind.AUDIT, "an", scope=scope))
        for host, verdicts in answers.items():
            audit = HostAudit(host, Reach.UNREACHABLE, failure="no route")
            if verdicts is not None:
                states = {c: (StateFinding("file", v),) for c, v in verdicts.items()}
                found = [Finding(host, c, v, Severity.LOW, states[c]) for c, v in verdicts.items()]
                audit = HostAudit(host, Reach.ANSWERED, tuple(found))
            self.store.save_audit(run, AuditedHost(audit, "", agency), lambda *_: Advance())

    def trend(self, by, hosts=None):
        """Return line → percent of each day."""
        seen = trend(self.store, by, DAYS, CHAPTERS, hosts)
        lines = {one.name: [point.percent for point in one.points] for one in seen.lines}
        return lines, [point.percent for point in seen.all.points]


@pytest.fixture
def province(tmp_path):
    now = [START]

    def clock():
        now[0] += timedelta(seconds=1)
        return now[0]

    with Store.open(tmp_path / "luytre.db", clock) as store:
        yield Province(store, now)


def test_each_day_is_told_by_its_last_audit_and_one_without_is_a_gap(province):
    province.audit(0, {"web1": {"umask": FAIL, "ciphers": PASS}})
    province.audit(0, {"web1": {"umask": PASS, "ciphers": PASS}, "db1": {"umask": ERROR}})
    province.audit(2, {"web1": {"umask": FAIL, "ciphers": FAIL}, "db1": None})
    lines, together = province.trend(By.HOST)
    assert lines == {"db1": [0, None, None], "web1": [100, None, 0]}
    assert together == [pytest.approx(66.667, abs=0.001), None, 0]
    assert province.trend(By.HOST, ["db1"]) == ({"db1": [0, None, None]}, [0, None, None])


def test_a_part_of_the_baseline_tells_nothing_of_the_whole(province):
    province.audit(0, {"web1": {"umask": FAIL, "ciphers": PASS}})
    province.audit(0, {"web1": {"umask": PASS}}, scope="umask")
    assert province.trend(By.HOST) == ({"web1": [50, None, None]}, [50, None, None])


def test_a_host_counts_for_the_agency_that_it_had_then(province):
    province.audit(0, {"web1": {"umask": FAIL}}, agency="Health")
    province.audit(1, {"web1": {"umask": PASS}}, agency="Finance")
    province.audit(2, {"web1": {"umask": PASS}}, agency="Finance")
    assert province.trend(By.AGENCY)[0] == {
        "Health": [0, None, None],
        "Finance": [None, 100, 100],
    }


def test_chapters_are_told_apart_and_what_left_the_baseline_has_none(province):
    answer = {"root-login": FAIL, "ciphers": PASS, "umask": PASS, "gone": FAIL}
    province.audit(0, {"web1": answer})
    province.audit(1, {"web1": answer, "db1": {"ciphers": PASS}})
    lines, _all = province.trend(By.CHAPTER)
    assert lines == {
        "": [0, 0, None],
        "accounts": [100, 100, None],
        "ssh": [50, pytest.approx(66.667, abs=0.001), None],
    }


@given(
    since=st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    span=st.timedeltas(timedelta(microseconds=1), timedelta(days=365 * 40)),
)
def test_periods_are_equal_cover_the_time_and_fit_on_a_line(since, span):
    edges = periods(since, since + span)
    assert edges[-1] == since + span
    assert edges[0] <= since
    assert edges[1] > since
    assert len({end - start for start, end in pairwise(edges)}) == 1
    assert 2 <= len(edges) <= MOST_PERIODS + 1


def test_a_time_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="ends before"):
        periods(START, START)

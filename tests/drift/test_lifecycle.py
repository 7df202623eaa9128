"""A duty officer reads what is different: each event, and where it comes from."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.drift.lifecycle import AuditContext, advance
from orchestrator.model.drift import Cause, DriftEvent
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.record import Memory

OPENED, REGRESSED, RESOLVED, CHANGED, UNREADABLE, NOT_CHECKED = DriftEvent
START = datetime(2026, 11, 23, 19, 13, tzinfo=UTC)


class Host:
    """One host through its audits; each gives (control, event, cause) of what is different."""

    def __init__(self):
        self.memory = Memory()
        self.audits = 0
        self.last = ()

    def audit(self, *findings, wants=None, tool="1", partial=False, reach=Reach.ANSWERED):
        self.audits += 1
        names = {finding.control for finding in findings}
        context = AuditContext(
            run=f"run{self.audits}",
            at=START + timedelta(hours=self.audits),
            tool=tool,
            wants=dict.fromkeys(names, "w") if wants is None else wants,
            partial=partial,
        )
        step = advance(self.memory, HostAudit("web1", reach, findings), context)
        answered = reach is Reach.ANSWERED and not partial
        self.memory = Memory(
            {**self.memory.findings, **step.findings}, self.memory.referenced or answered
        )
        self.last = step.drift
        return [(one.control, one.event, one.cause) for one in step.drift]

    def open(self):
        return {control for control, one in self.memory.findings.items() if one.open}


def finding(verdict, observed="", control="a", waived=False):
    marks = frozenset({Mark.WAIVED}) if waived else frozenset()
    states = (StateFinding("sshd", verdict, "no", observed),)
    return Finding("web1", control, verdict, Severity.HIGH, states, marks)


def passed(observed="no", **rest):
    return finding(Verdict.PASS, observed, **rest)


def failed(observed="yes", **rest):
    return finding(Verdict.FAIL, observed, **rest)


def waived(observed="yes", **rest):
    return finding(Verdict.FAIL, observed, waived=True, **rest)


def told_in_detail(detail):
    states = (StateFinding("file", Verdict.FAIL, "ours", "a file", detail),)
    return Finding("web1", "a", Verdict.FAIL, Severity.HIGH, states)


ERROR = finding(Verdict.ERROR)
ABSENT = finding(Verdict.NOT_APPLICABLE)
SKIPPED = finding(Verdict.NOT_CHECKED)


@pytest.fixture
def host():
    return Host()


def test_a_value_that_only_its_detail_tells_apart_has_changed(host):
    host.audit(told_in_detail("digest 1"))
    assert host.audit(told_in_detail("digest 1")) == []
    assert host.audit(told_in_detail("digest 2")) == [("a", CHANGED, Cause.HOST)]


@pytest.mark.parametrize("first", [passed(), failed(), waived(), ERROR, ABSENT, SKIPPED])
def test_a_first_audit_is_the_reference_and_opens_nothing(host, first):
    assert host.audit(first) == []
    assert host.audit(first) == []


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (passed(), failed(), REGRESSED),
        (ABSENT, failed(), OPENED),
        (ERROR, failed(), OPENED),
        (SKIPPED, failed(), OPENED),
        (failed(), failed("without-password"), CHANGED),
        (failed(), passed(), RESOLVED),
        (failed(), ABSENT, RESOLVED),
        (ERROR, passed(), RESOLVED),
        (passed(), ERROR, UNREADABLE),
        (failed(), ERROR, UNREADABLE),
        (ABSENT, ERROR, UNREADABLE),
        (passed(), SKIPPED, NOT_CHECKED),
        (ERROR, SKIPPED, NOT_CHECKED),
        (waived(), passed(), RESOLVED),
        (waived(), failed("other"), OPENED),
        (passed(), waived(), CHANGED),
    ],
)
def test_what_the_host_did_is_told(host, before, after, event):
    host.audit(before)
    assert host.audit(after) == [("a", event, Cause.HOST)]
    assert host.audit(after) == []


@pytest.mark.parametrize(("before", "after"), [(passed(), ABSENT), (ABSENT, passed())])
def test_what_needs_nobody_is_not_told(host, before, after):
    host.audit(before)
    assert host.audit(after) == []


def test_another_value_that_passes_too_is_not_told(host):
    host.audit(passed("no"))
    assert host.audit(passed("No")) == []


def test_a_transition_says_what_was_expected_and_seen_and_when(host):
    host.audit(passed())
    host.audit(failed("yes"))
    (one,) = host.last
    assert (one.host, one.run, one.at) == ("web1", "run2", START + timedelta(hours=2))
    assert (one.before, one.after) == (Verdict.PASS, Verdict.FAIL)
    assert (one.expected, one.observed, one.severity) == ("no", "yes", Severity.HIGH)


def test_a_failure_since_the_reference_that_returns_after_repair_is_a_regression(host):
    host.audit(failed())
    host.audit(passed())
    assert host.audit(failed()) == [("a", REGRESSED, Cause.HOST)]


def test_a_failure_behind_an_unreadable_audit_was_open_all_the_time(host):
    host.audit(passed())
    host.audit(failed())
    host.audit(ERROR)
    assert host.open() == {"a"}
    assert host.audit(failed()) == [("a", CHANGED, Cause.HOST)]
    assert host.last[0].before is Verdict.ERROR
    host.audit(ERROR)
    host.audit(SKIPPED)
    assert host.audit(passed()) == [("a", RESOLVED, Cause.HOST)]
    assert host.open() == set()


def test_since_tells_when_the_present_verdict_began(host):
    host.audit(failed())
    host.audit(failed("other"))
    assert host.memory.findings["a"].since == START + timedelta(hours=1)
    host.audit(passed())
    assert host.memory.findings["a"].since == START + timedelta(hours=3)


def test_an_unreachable_host_changes_nothing(host):
    host.audit(failed())
    before = host.memory.findings
    assert host.audit(reach=Reach.UNREACHABLE, wants={}) == []
    assert host.audit(reach=Reach.FAILED, wants={}) == []
    assert host.memory.findings == before


def test_a_partial_audit_touches_only_what_it_looked_at(host):
    wants = {"a": "w", "b": "w", "c": "w"}
    host.audit(failed(), failed(control="b"), failed(control="c"), wants=wants)
    kept = {name: host.memory.findings[name] for name in "bc"}
    skipped = finding(Verdict.NOT_CHECKED, control="c")
    drift = host.audit(passed(), skipped, wants={"a": "w"}, partial=True)
    assert drift == [("a", RESOLVED, Cause.HOST)]
    assert {name: host.memory.findings[name] for name in "bc"} == kept


def test_what_a_first_partial_audit_left_out_belongs_to_the_reference(host):
    host.audit(failed(), wants={"a": "w", "b": "w"}, partial=True)
    assert host.audit(failed(), failed(control="b")) == []
    assert host.audit(failed(), failed(control="b")) == []


def test_the_outcome_of_a_first_partial_audit_counts_for_the_next(host):
    host.audit(passed(), partial=True)
    assert host.audit(failed()) == [("a", REGRESSED, Cause.HOST)]


def test_a_control_that_came_with_a_larger_baseline_opens_because_of_it(host):
    host.audit(passed())
    grown = host.audit(passed(), failed(control="b"), passed(control="c"))
    assert grown == [("b", OPENED, Cause.BASELINE)]


def test_a_new_control_that_cannot_be_read_is_told(host):
    host.audit(passed())
    new = finding(Verdict.ERROR, control="b")
    assert host.audit(passed(), new) == [("b", UNREADABLE, Cause.BASELINE)]


def test_a_stricter_control_regresses_because_of_the_baseline(host):
    host.audit(passed("4"), wants={"a": "at most 4"})
    assert host.audit(failed("4"), wants={"a": "at most 3"}) == [("a", REGRESSED, Cause.BASELINE)]


def test_the_baselines_part_is_seen_through_an_unreadable_audit(host):
    host.audit(passed("4"), wants={"a": "at most 4"})
    host.audit(ERROR, wants={"a": "at most 3"})
    assert host.audit(failed("4"), wants={"a": "at most 3"}) == [("a", REGRESSED, Cause.BASELINE)]
    assert host.audit(passed("3"), wants={"a": "at most 3"}) == [("a", RESOLVED, Cause.HOST)]


def test_a_failing_control_that_left_the_baseline_is_closed_by_it(host):
    host.audit(failed(), passed(control="b"))
    assert host.audit(passed(control="b")) == [("a", RESOLVED, Cause.BASELINE)]
    assert host.open() == set()
    assert host.audit(passed(control="b")) == []


def test_a_passing_control_that_left_the_baseline_is_no_longer_checked(host):
    host.audit(passed(), passed(control="b"))
    assert host.audit(passed(control="b")) == [("a", NOT_CHECKED, Cause.BASELINE)]
    assert host.audit(passed(), passed(control="b")) == []
    host.audit(passed(control="b"))
    assert host.audit(failed(), passed(control="b")) == [("a", REGRESSED, Cause.BASELINE)]


def test_a_wanted_control_without_an_answer_is_not_checked_rather_than_gone(host):
    wants = {"a": "w", "b": "w"}
    host.audit(failed(), passed(control="b"), wants=wants)
    assert host.audit(passed(control="b"), wants=wants) == [("a", NOT_CHECKED, Cause.HOST)]
    assert host.open() == {"a"}


def test_accepting_a_failure_closes_it_and_expiry_opens_it_again(host):
    host.audit(passed())
    host.audit(failed())
    assert host.audit(waived()) == [("a", RESOLVED, Cause.WAIVER)]
    assert host.open() == set()
    assert host.memory.findings["a"].verdict is Verdict.FAIL
    assert host.audit(failed()) == [("a", OPENED, Cause.WAIVER)]


def test_an_accepted_failure_does_not_open_by_being_unreadable_for_a_while(host):
    host.audit(waived())
    host.audit(ERROR)
    host.audit(waived())
    assert host.open() == set()


def test_our_own_new_version_that_judges_the_same_value_otherwise_is_the_cause(host):
    host.audit(passed("yes"), tool="1")
    assert host.audit(failed("yes"), tool="2") == [("a", REGRESSED, Cause.TOOL)]


def test_our_own_new_version_that_leaves_a_control_to_people_is_the_cause(host):
    host.audit(passed(), tool="1")
    assert host.audit(SKIPPED, tool="2") == [("a", NOT_CHECKED, Cause.TOOL)]


def test_a_new_version_does_not_excuse_what_cannot_be_read(host):
    host.audit(passed(), tool="1")
    assert host.audit(ERROR, tool="2") == [("a", UNREADABLE, Cause.HOST)]


def test_a_new_version_does_not_hide_what_the_host_did(host):
    host.audit(passed("no"), tool="1")
    assert host.audit(failed("yes"), tool="2") == [("a", REGRESSED, Cause.HOST)]


def test_a_new_version_is_blamed_once_only(host):
    host.audit(passed("yes"), tool="1")
    host.audit(passed("yes"), tool="2")
    assert host.audit(failed("yes"), tool="2") == [("a", REGRESSED, Cause.HOST)]


def test_a_host_that_answers_with_broken_text_is_judged_like_any_other(host):
    host.audit(failed("\udcff\x00"))
    assert host.audit(failed("\udcfe\x00")) == [("a", CHANGED, Cause.HOST)]

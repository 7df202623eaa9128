"""How compliance is counted and grouped, whatever shows it."""

from dataclasses import replace

import pytest

from orchestrator.model.drift import DriftEvent
from orchestrator.model.finding import Mark, Severity, Verdict
from orchestrator.model.record import Counts, Reading
from orchestrator.model.text import shorten, visible
from orchestrator.report import digest
from orchestrator.report.compliance import percent, percent_text, total
from orchestrator.report.data import HostSection
from tests.report import samples


def counts(passed: int, failed: int = 0, errors: int = 0, other: int = 0) -> Counts:
    return Counts(
        {
            Verdict.PASS: passed,
            Verdict.FAIL: failed,
            Verdict.ERROR: errors,
            Verdict.NOT_APPLICABLE: other,
            Verdict.NOT_CHECKED: other,
        }
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (counts(10), "100.0%"),
        (counts(9, 1), "90.0%"),
        (counts(9, 0, 1), "90.0%"),
        (counts(9, 1, other=50), "90.0%"),
        (counts(2999, 1), "99.9%"),
        (counts(0, 3), "0.0%"),
        (counts(0, other=5), "—"),
        (None, "—"),
    ],
)
def test_compliance_is_pass_of_all_that_was_judged_rounded_down(
    given: Counts | None, expected: str
) -> None:
    assert percent_text(given, "en") == expected
    assert percent_text(given, "vi") == expected.replace(".", ",")


def test_sums_leave_out_what_is_unknown() -> None:
    assert percent(total([counts(1, 1), None, counts(2)])) == 75


def test_before_and_after_are_compared_on_the_same_hosts() -> None:
    hosts = [
        HostSection("a", before=counts(1, 9), after=counts(9, 1)),
        HostSection("b", before=None, after=counts(0, 10)),
        HostSection("c", before=counts(10), after=None),
    ]
    assert [percent(one) for one in digest.sums(hosts)] == [10, 90]
    assert digest.sums(hosts[1:]) == (None, None)


def test_hosts_that_nobody_could_assess_are_all_named() -> None:
    data = samples.report(24)
    named = {host.name for host in digest.not_assessed(data)}
    assert named == {"so-nn-web-009", "so-nn-web-019", "dc-win-01", "so-yt-new"}
    assert {h.name for a in digest.agencies(data) for h in a.hosts} == {
        host.name for host in data.hosts
    } - {"dc-win-01"}


def test_a_failure_behind_an_error_stays_an_open_failure() -> None:
    hidden = replace(
        samples.current("web1", samples.control(1), Verdict.ERROR),
        reading=Reading(Verdict.FAIL, True, "", "", "0.1.0"),
    )
    data = replace(samples.report(2), findings=(hidden,))
    assert digest.open_failures(data) == (hidden,)
    assert digest.unread(data) == ()


def test_waived_failures_are_not_open_but_listed() -> None:
    waived = samples.current("web1", samples.control(1), Verdict.FAIL, Mark.WAIVED)
    data = replace(samples.report(2), findings=(waived,))
    assert digest.open_failures(data) == ()
    assert digest.waived_failures(data) == (waived,)


def test_failures_come_severest_first_then_most_frequent() -> None:
    groups = digest.by_control(digest.open_failures(samples.report(24)))
    severities = [group.severity for group in groups]
    order = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]
    assert severities == sorted(severities, key=order.index)
    critical = [group.hosts for group in groups if group.severity is Severity.CRITICAL]
    assert critical == sorted(critical, reverse=True)
    assert sum(len(v.hosts) for group in groups for v in group.values) == sum(
        group.hosts for group in groups
    )


def test_equal_transitions_are_one_group() -> None:
    groups = digest.by_transition(samples.report(24).drift)
    assert [(g.event, len(g.hosts)) for g in groups] == [
        (DriftEvent.REGRESSED, 5),
        (DriftEvent.RESOLVED, 1),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sở Y tế", "Sở Y tế"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\u202eexe", r"\u202eexe"),
        ("\udcff", r"\udcff"),
        ("zero\u200bwidth\x9b", r"zero\u200bwidth\x9b"),
    ],
)
def test_what_does_not_print_is_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"

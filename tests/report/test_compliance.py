"""How compliance is counted and grouped, whatever shows it."""

from dataclasses import replace

import pytest

from orchestrator.model.drift import DriftEvent
from orchestrator.model.finding import Mark, Reach, Severity, Verdict
from orchestrator.model.record import Counts, Reading
from orchestrator.model.text import shorten, visible
from orchestrator.report import digest, scores
from orchestrator.report.compliance import change_text, percent, percent_text, total
from orchestrator.report.data import HostSection
from orchestrator.report.digest import Doubt
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
    hosts = (
        HostSection("a", before=counts(1, 9), after=counts(9, 1)),
        HostSection("c", before=counts(10), after=None),
    )
    score = scores.overall(replace(samples.report(2), hosts=hosts, findings=()))
    assert [percent(score.before), percent(score.after)] == [10, 90]
    assert score.change == 80
    nobody = scores.overall(replace(samples.report(2), hosts=hosts[1:], findings=()))
    assert (nobody.before, nobody.after, nobody.change) == (None, None, None)


@pytest.mark.parametrize(
    ("points", "expected"), [(12.34, "+12.3"), (-0.5, "−0.5"), (0.0, "+0.0"), (None, "—")]
)
def test_a_change_is_told_with_its_sign(points: float | None, expected: str) -> None:
    assert change_text(points, "en") == expected
    assert change_text(points, "vi") == expected.replace(".", ",")


def test_hosts_of_which_little_is_known_are_all_named_with_every_reason() -> None:
    data = samples.report(24)
    lost = replace(data.hosts[7], reach=Reach.UNREACHABLE, after=None)
    partly = replace(data.hosts[8], after=None)
    data = replace(data, hosts=(*data.hosts[:7], lost, partly, *data.hosts[9:]))
    told = {host.name: list(found) for host, found in digest.doubts(data)}
    assert told == {
        "dc-win-01": [Doubt.UNMANAGED],
        "so-yt-new": [Doubt.NEVER],
        "so-nn-web-007": [Doubt.UNREACHABLE, Doubt.AUDIT_ONLY],
        "so-nn-web-009": [Doubt.UNREACHABLE],
        "so-nn-web-019": [Doubt.UNREACHABLE, Doubt.AUDIT_ONLY],
        "so-nn-web-008": [Doubt.PARTIAL],
        "so-nn-web-005": [Doubt.STALE],
        "so-nn-web-017": [Doubt.STALE],
    }
    assessed = [host.assessed for host, _found in digest.doubts(data)]
    assert assessed == sorted(assessed)


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
    critical = [len(group.names) for group in groups if group.severity is Severity.CRITICAL]
    assert critical == sorted(critical, reverse=True)


def test_equal_transitions_are_one_group() -> None:
    groups = digest.by_transition(samples.report(24).drift)
    assert [(g.event, len(g.names), len(g.values)) for g in groups] == [
        (DriftEvent.REGRESSED, 5, 1),
        (DriftEvent.RESOLVED, 1, 1),
    ]


def test_where_each_host_has_a_value_of_its_own_all_hosts_are_still_named() -> None:
    failing = [
        replace(samples.current(f"web{n:02d}", samples.control(1), Verdict.FAIL), observed=f"{n}")
        for n in range(30)
    ]
    (group,) = digest.by_control(failing)
    assert len(group.values) == digest.MOST_VALUES + 1
    assert group.values[-1].others == 30 - digest.MOST_VALUES
    named = [host for value in group.values for host in value.hosts]
    assert sorted(named) == [f"web{n:02d}" for n in range(30)]


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

"""waivers.yml: what covers a failure, what is refused at its line, and how it is changed."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.baseline.waiver_edit import with_end, with_waiver
from orchestrator.baseline.waiver_file import load_waivers, parse_waivers
from orchestrator.baseline.waivers import Waivers, accepted_values, standing
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.waiver import LONGEST, Accepted, Waiver, WaiverState
from orchestrator.workspace.yaml_source import parse

TODAY = date(2026, 11, 23)
FAIL, PASS, ERROR = Verdict.FAIL, Verdict.PASS, Verdict.ERROR


def state(observed: str, verdict: Verdict = FAIL, detail: str = "") -> StateFinding:
    return StateFinding("sshd", verdict, "no", observed, detail)


def finding(*states: StateFinding, host: str = "web1", control: str = "root") -> Finding:
    verdicts = [one.verdict for one in states]
    worst = next(one for one in (ERROR, FAIL, PASS) if one in verdicts)
    return Finding(host, control, worst, Severity.HIGH, states)


YES = finding(state("yes"))


def waiver(**changes: object) -> Waiver:
    usual = Waiver(
        id="root-1",
        control="root",
        reason="The backup logs in as root",
        approver="Lê Thị Hoa",
        added=TODAY - timedelta(days=30),
        by="Nguyễn Văn An",
        until=TODAY + timedelta(days=60),
        accepted=(Accepted(("web1",), accepted_values(YES)),),
        limit="web",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def covers(found: Finding, *waivers: Waiver, today: date = TODAY) -> bool:
    return Waivers(waivers, today).covering(found) is not None


def test_a_waiver_covers_exactly_what_was_accepted() -> None:
    assert covers(YES, waiver())
    assert not covers(finding(state("prohibit-password")), waiver())
    assert not covers(replace(YES, host="web2"), waiver())
    assert not covers(replace(YES, control="other"), waiver())
    assert not covers(finding(state("yes", detail="in another file")), waiver())


def test_another_failing_state_of_the_control_is_a_new_failure() -> None:
    assert not covers(finding(state("yes"), state("also")), waiver())


def test_what_passes_beside_the_failure_may_change() -> None:
    assert covers(finding(state("a", PASS), state("yes")), waiver())
    assert covers(finding(state("b", PASS), state("yes")), waiver())


def test_what_could_not_be_read_is_never_covered() -> None:
    assert not covers(finding(state("yes"), state("", ERROR, "no sshd")), waiver())


@pytest.mark.parametrize(
    ("until", "counts", "stands"),
    [
        (TODAY + timedelta(days=60), True, WaiverState.ACTIVE),
        (TODAY + timedelta(days=5), True, WaiverState.ENDING),
        (TODAY, True, WaiverState.ENDING),
        (TODAY - timedelta(days=1), False, WaiverState.EXPIRED),
    ],
)
def test_it_counts_up_to_its_last_day(until: date, counts: bool, stands: WaiverState) -> None:
    one = waiver(until=until)
    assert covers(YES, one) is counts
    assert one.state(TODAY) is stands


def test_one_that_was_ended_does_not_count_on_that_day_any_more() -> None:
    assert not covers(YES, waiver(ended=TODAY, ended_by="An"))


def test_of_two_the_one_that_lasts_longer_is_told() -> None:
    short, long = waiver(), waiver(id="root-2", until=TODAY + timedelta(days=90))
    assert Waivers((short, long), TODAY).covering(YES) is long


def test_values_too_long_to_be_kept_whole_are_told_apart() -> None:
    values = [accepted_values(finding(state("x" * 100_000 + end))) for end in "ab"]
    assert values[0] != values[1]
    assert all(len(one) < 600 for (one,) in values)


def test_values_are_printable_whatever_a_host_says() -> None:
    (value,) = accepted_values(finding(state("a\x1b[2J\n\ud800\u202eb")))
    assert value.isprintable()


def test_an_audit_is_marked_and_told_what_the_waivers_mean_to_it() -> None:
    one = waiver(
        accepted=(Accepted(("web1", "web2", "web3"), accepted_values(YES)),),
    )
    audits = [
        HostAudit("web1", Reach.ANSWERED, (YES,)),
        HostAudit("web2", Reach.ANSWERED, (replace(finding(state("other")), host="web2"),)),
        HostAudit("web3", Reach.ANSWERED, (finding(state("no", PASS), host="web3"),)),
        HostAudit("web4", Reach.ANSWERED, (replace(YES, host="web4"),)),
    ]
    waivers = Waivers((one,), TODAY)
    marked = [waivers.marked(audit).findings[0].marks for audit in audits]
    assert marked == [{Mark.WAIVED}, set(), set(), set()]
    (told,) = standing(waivers, audits)
    assert (told.covered, told.other_value, told.lapsed) == (("web1",), ("web2",), ())
    (late,) = standing(Waivers((one,), one.until + timedelta(days=1)), audits)
    assert (late.covered, late.other_value, late.lapsed) == ((), (), ("web1", "web2"))
    assert standing(Waivers((replace(one, ended=TODAY),), TODAY), audits) == ()


ENTRY = """\
- id: root-1
  control: root
  reason: Why
  approver: Hoa
  added: 2026-11-01
  by: An
  until: 2026-12-31
  accepted:
    - hosts: [web1]
      observed: ["sshd: yes"]
"""


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        (("until: 2026-12-31", "until: soon"), "7:10", "must be a day"),
        (("until: 2026-12-31", "until: 20261231"), "7:10", "must be a day"),
        (("until: 2026-12-31", "until: 2026-10-31"), "7:10", "ends before it begins"),
        (("until: 2026-12-31", "until: 2028-10-31"), "7:10", "lasts longer than 366 days"),
        (("  until: 2026-12-31\n", ""), "1:3", "'until' is missing"),
        (("reason: Why", "reason: ' '"), "3:11", "must be text"),
        (("approver: Hoa", "aprover: Hoa"), "4:3", "unknown field 'aprover'"),
        (("control: root", "control: Root Login"), "2:12", "lower-case words"),
        (("hosts: [web1]", "hosts: []"), "9:14", "must name at least one"),
        (("hosts: [web1]", "hosts: [web1, web1]"), "9:5", "the host web1 stands twice"),
        (("  by: An\n", "  by: An\n  by: Lan\n"), "7:3", "stands twice"),
        ((ENTRY, ENTRY + ENTRY), "11:7", "the id 'root-1' stands twice; first in line 1"),
        ((ENTRY, "waivers: []"), "1:1", "must be a list"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, change: tuple[str, str], place: str, said: str
) -> None:
    assert ENTRY.count(change[0]) == 1
    file = tmp_path / "waivers.yml"
    file.write_text(ENTRY.replace(*change))
    with pytest.raises(ConfigurationError) as refused:
        load_waivers(file, TODAY)
    assert str(refused.value).startswith(f"{file}:{place}: ")
    assert said in str(refused.value)


def test_a_missing_or_empty_file_holds_no_waivers(tmp_path: Path) -> None:
    assert load_waivers(tmp_path / "none.yml").every == ()
    (tmp_path / "empty.yml").write_text("# nothing yet\n")
    assert load_waivers(tmp_path / "empty.yml").every == ()


HAND_WRITTEN = """\
# Approved in letter 12/CV-TTCNTT  (keep this)

-   control: root          # first things first
    id: root-1
    reason: >-
      A long
      reason
    until: '2026-12-31'    # asked for again in December
    approver: Hoa
    added: 2026-11-01
    by: An
    accepted: [{hosts: [web1], observed: ["sshd: yes"]}]
# the end
"""


def test_what_people_wrote_stays_as_it_is() -> None:
    text = with_waiver(HAND_WRITTEN, "w.yml", waiver(id="root-2"))
    assert text.startswith(HAND_WRITTEN)
    ended = with_end(text, "w.yml", "root-1", (TODAY, "Trần Thị Bình"))
    lines = ended.splitlines()
    assert [line for line in lines if line not in text.splitlines()] == [
        "    ended: 2026-11-23",
        '    ended_by: "Trần Thị Bình"',
    ]
    lines.remove("    ended: 2026-11-23")
    lines.remove('    ended_by: "Trần Thị Bình"')
    assert lines == text.splitlines()
    first, second = parse_waivers(parse(ended, "w.yml"))
    assert (first.ended, first.ended_by) == (TODAY, "Trần Thị Bình")
    assert second == replace(waiver(id="root-2"), position=second.position)


@pytest.mark.parametrize(
    "text",
    ["[]\n", ENTRY + "...\n", "[{" + ", ".join(ENTRY[2:].splitlines()[:2]) + "}]\n"],
)
def test_a_file_that_cannot_be_added_to_is_left_to_people(text: str) -> None:
    with pytest.raises(ConfigurationError):
        with_waiver(text, "w.yml", waiver(id="root-2"))


def test_one_written_on_a_single_line_is_ended_by_people() -> None:
    flow = (
        "- {id: root-1, control: root, reason: Why, approver: Hoa, added: 2026-11-01, by: An,"
        " until: 2026-12-31, accepted: [{hosts: [web1], observed: ['sshd: yes']}]}\n"
    )
    with pytest.raises(ConfigurationError) as refused:
        with_end(flow, "w.yml", "root-1", (TODAY, "An"))
    assert "ended: 2026-11-23" in refused.value.hint


PRINTABLE = st.text(min_size=1).filter(lambda text: text.isprintable() and text.strip())


@given(
    reasons=st.lists(PRINTABLE, min_size=1, max_size=4),
    values=st.lists(st.text(min_size=1, max_size=600), min_size=1, max_size=3),
    days=st.integers(1, LONGEST.days),
)
def test_what_is_added_is_read_back_whatever_it_says(
    reasons: list[str], values: list[str], days: int
) -> None:
    observed = accepted_values(finding(*map(state, values)))
    text, added = "", []
    for number, reason in enumerate(reasons):
        one = waiver(
            id=f"root-{number}",
            reason=reason,
            approver=reason,
            added=TODAY,
            until=TODAY + timedelta(days=days),
            accepted=(Accepted(("web1", "web2"), observed),),
        )
        text = with_waiver(text, "w.yml", one)
        added.append(one)
    found = parse_waivers(parse(text, "w.yml"))
    assert [replace(one, position=None) for one in found] == added
    assert covers(finding(*map(state, values)), *found)

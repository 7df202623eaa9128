"""Scores of agencies, levels and chapters: the parts always add up to the whole."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.finding import Mark, Reach, Severity, Verdict
from orchestrator.model.record import Counts, CurrentFinding
from orchestrator.report import scores
from orchestrator.report.compliance import Judged, percent, total
from orchestrator.report.data import ChapterCounts, HostSection, ReportData
from tests.report import samples

CONTROLS = {one.id: one for one in map(samples.control, range(9))}
NUMBER = st.integers(0, 40)


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    """Any counts: waived failures are failures too."""
    verdicts = {verdict: draw(NUMBER) for verdict in Verdict}
    return Counts(verdicts, draw(st.integers(0, verdicts[Verdict.FAIL])))


@st.composite
def host(draw: st.DrawFn, name: str) -> HostSection:
    """Any host: assessed or not, of any agency and level."""
    names = draw(st.sets(st.sampled_from(["", *samples.CHAPTERS]), max_size=4))
    chapters = tuple(ChapterCounts(one, draw(counts()), draw(counts())) for one in names)
    made = HostSection(
        name,
        draw(st.sampled_from(["", *samples.AGENCIES])),
        draw(st.sampled_from([None, 1, 2, 3])),
        reach=Reach.UNREACHABLE,
        before=total(one.before for one in chapters),
    )
    if not draw(st.booleans()):
        return made
    after = total(one.after for one in chapters)
    return replace(made, reach=Reach.ANSWERED, after=after, chapters=chapters)


@st.composite
def report(draw: st.DrawFn) -> ReportData:
    """Any report of a few hosts."""
    hosts = [draw(host(f"host{n}")) for n in range(draw(st.integers(0, 6)))]
    findings = [
        finding(one.name, control, draw(st.sampled_from([Verdict.FAIL, Verdict.ERROR])), marks)
        for one in hosts
        for control in draw(st.sets(st.sampled_from([*CONTROLS, "gone"])))
        for marks in [draw(st.sampled_from([(), (Mark.WAIVED,)]))]
    ]
    made = ReportData("Sở", samples.NOW, "Bình", "minimal", "0.1.0", hosts=tuple(hosts))
    return replace(made, findings=tuple(findings), controls=CONTROLS)


def finding(name: str, control: str, verdict: Verdict, marks: tuple[Mark, ...]) -> CurrentFinding:
    known = CONTROLS.get(control) or replace(samples.control(1), id=control)
    return samples.current(name, known, verdict, *marks)


@given(report())
def test_the_parts_add_up_to_the_whole(data: ReportData) -> None:
    whole = scores.overall(data)
    for parts in (scores.by_agency(data), scores.by_level(data)):
        assert sum(len(one.hosts) for one in parts) == len(data.hosts)
        assert sum(one.assessed for one in parts) == whole.assessed
    for parts in (scores.by_agency(data), scores.by_level(data), scores.by_chapter(data)):
        assert told(total(one.after for one in parts)) == told(whole.after)
        assert told(total(one.before for one in parts)) == told(whole.before)
        severities: Counter[Severity] = Counter()
        for one in parts:
            severities.update(one.open)
        assert severities == whole.open == Counter(f.severity for f in data.findings if f.open)
        assert sum(one.grave for one in parts) == whole.grave
        assert sum(one.waived for one in parts) == whole.waived
        assert sum(one.unread for one in parts) == whole.unread
        assert len({one.name for one in parts}) == len(parts)


def told(counted: Counts | None) -> tuple[dict[Verdict, int], int]:
    """Return counts with zeroes left out; None where nothing was assessed counts nothing."""
    if counted is None:
        return {}, 0
    return {verdict: n for verdict, n in counted.verdicts.items() if n}, counted.waived


@given(report())
def test_hosts_that_were_not_assessed_change_no_percentage(data: ReportData) -> None:
    less = replace(data, hosts=data.assessed, findings=())
    assert scores.overall(data).after == scores.overall(less).after
    after = {one.name: one.after for one in scores.by_agency(less)}
    for one in scores.by_agency(data):
        assert one.after == after.get(one.name)


@given(counts())
def test_each_control_is_judged_once_and_the_waived_ones_are_apart(counted: Counts) -> None:
    judged = Judged.of(counted)
    three = (Verdict.PASS, Verdict.FAIL, Verdict.ERROR)
    assert judged.total == sum(counted.verdicts[one] for one in three)
    assert judged.failed + judged.waived == counted.verdicts[Verdict.FAIL]
    if judged.total:
        assert percent(counted) == 100 * judged.passed / judged.total


def test_the_nameless_come_last_and_high_levels_first() -> None:
    data = samples.report(12)
    without = replace(data.hosts[0], agency="", level=None)
    data = replace(data, hosts=(without, *data.hosts[1:]))
    assert [one.name for one in scores.by_agency(data)] == [*samples.AGENCIES, ""]
    assert [one.name for one in scores.by_level(data)] == ["3", "2", "1", ""]


def test_the_weakest_chapter_comes_first() -> None:
    data = samples.report(12)
    weak = ChapterCounts("zoo", Counts({Verdict.FAIL: 5}), Counts({Verdict.FAIL: 5}))
    gone = ChapterCounts("", Counts({Verdict.FAIL: 5}), Counts({Verdict.FAIL: 5}))
    first = replace(data.hosts[0], chapters=(*data.hosts[0].chapters, gone, weak))
    data = replace(data, hosts=(first, *data.hosts[1:]))
    names = [one.name for one in scores.by_chapter(data)]
    assert (names[0], names[-1]) == ("zoo", "")


def test_each_agency_has_its_own_trend() -> None:
    data = samples.report(12)
    for one in scores.by_agency(data):
        assert one.line is not None
        assert one.line.name == one.name
        assert one.line.points[-1].percent == percent(one.after)
        assert one.line.points[-1].hosts == one.assessed

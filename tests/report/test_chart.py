"""Drawings of a trend: within their frame, to scale, and honest about days without an audit."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.finding import Verdict
from orchestrator.model.record import Counts
from orchestrator.report import chart
from orchestrator.report.series import By, Line, Point, Trend
from tests.report import samples

SHARES = st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=1, max_size=40)


def trend(shares: list[int | None]) -> Trend:
    """Return a trend of one line with these percentages; None: no audit."""
    edges = tuple(samples.NOW + timedelta(days=n) for n in range(len(shares) + 1))
    points = tuple(
        Point(end)
        if share is None
        else Point(end, Counts({Verdict.PASS: share, Verdict.FAIL: 100 - share}), 1)
        for end, share in zip(edges[1:], shares, strict=True)
    )
    return Trend(By.AGENCY, edges, (Line("Sở", points),), Line("", points))


def draw(made: Trend, line: Line, frame: chart.Frame = chart.LARGE) -> chart.Chart | None:
    """Return the drawing of a line on the axes of a trend."""
    axes = chart.Axes.of((*made.lines, made.all))
    return chart.draw(line, axes, frame) if axes else None


@pytest.mark.parametrize("frame", [chart.LARGE, chart.SMALL])
@given(shares=SHARES)
def test_everything_lies_within_the_frame_and_better_is_higher(
    frame: chart.Frame, shares: list[int | None]
) -> None:
    made = trend(shares)
    drawn = draw(made, made.all, frame)
    known = [share for share in shares if share is not None]
    if len(known) < 2:
        assert drawn is None
        return
    assert drawn is not None
    assert len(drawn.dots) == len(known)
    for dot in drawn.dots:
        assert frame.left <= dot.x <= frame.width - frame.right + 1e-9
        assert drawn.ceiling <= dot.y <= drawn.floor + 1e-9
    across = [dot.x for dot in drawn.dots]
    assert across == sorted(set(across))
    by_share = sorted(zip(known, drawn.dots, strict=True), key=lambda one: one[0])
    heights = [dot.y for _share, dot in by_share]
    assert heights == sorted(heights, reverse=True)
    assert drawn.levels[0] == (drawn.ceiling, 100)
    assert all(drawn.ceiling <= y <= drawn.floor for y, _percent in drawn.levels)


def test_days_without_an_audit_are_drawn_otherwise() -> None:
    made = trend([50, 60, None, 80])
    drawn = draw(made, made.all)
    assert drawn is not None
    assert drawn.line.count("M") == 1
    assert drawn.gaps.count("M") == 1
    assert f"{drawn.dots[1].x:.1f} {drawn.dots[1].y:.1f}" in drawn.gaps


def test_the_time_before_the_first_audit_takes_no_room() -> None:
    made = trend([None, None, 50, 60])
    drawn = draw(made, made.all)
    assert drawn is not None
    assert drawn.dots[0].x == chart.LARGE.left
    assert drawn.dots[-1].x == chart.LARGE.width - chart.LARGE.right


def test_an_agency_that_came_later_begins_later() -> None:
    whole = trend([50, 60, 70, 80])
    late = Line("late", trend([None, None, 70, 80]).all.points)
    drawn = draw(whole, late, chart.SMALL)
    assert drawn is not None
    assert drawn.dots[0].x > chart.SMALL.left + 10


@pytest.mark.parametrize(("days", "most", "expected"), [(40, 6, 6), (3, 6, 3), (2, 6, 2)])
def test_marks_are_few_with_both_ends(days: int, most: int, expected: int) -> None:
    made = trend([50 + n for n in range(days)])
    drawn = draw(made, made.all)
    assert drawn is not None
    marked = drawn.marked(most)
    assert (marked[0], marked[-1]) == (drawn.dots[0], drawn.dots[-1])
    assert len(marked) == len({dot.x for dot in marked}) == expected

"""Compliance over time as a line of marks, for people; as numbers, for programs."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.cli.views.cells import cell, change_cell, line, local_time, table
from orchestrator.model.finding import Verdict
from orchestrator.model.i18n import _, language
from orchestrator.report.compliance import percent_text
from orchestrator.report.series import FULL, By, Line, Point, Trend, scale_low

_BLOCKS, _PLAIN = "▁▂▃▄▅▆▇█", "_.-:=+*#"
_GAP = "·"
_PLAIN_GAP = " "


def render(trend: Trend) -> RenderableType:
    """Return a row per line, the worst now first, then all together."""
    if not trend.all.known:
        return line(_("No whole audit in this time."))
    numbers = [_("first"), _("now"), _("change"), _("hosts")]
    made = table(_first_column(trend.by), _("compliance"), *numbers, numbers=numbers)
    low = scale_low((*trend.lines, trend.all))
    for one in sorted(trend.lines, key=_worst_first):
        _row(made, one, _name(one.name, trend.by), low)
    if len(trend.lines) > 1:
        made.add_section()
        _row(made, trend.all, _("all"), low, style="bold")
    told = _("{since} to {until}; {lowest} is {low}%, {highest} is 100%").format(
        since=local_time(trend.edges[0]),
        until=local_time(trend.edges[-1]),
        lowest=_marks()[0],
        low=low,
        highest=_marks()[-1],
    )
    return Group(made, line(told, "dim"))


def document(trend: Trend) -> dict[str, Any]:
    """Return the numbers; times are UTC, ISO 8601, and null stands where no audit tells."""
    return {
        "by": trend.by.value,
        "periods": [edge.isoformat() for edge in trend.edges],
        "lines": [
            {"name": one.name, "points": [_point(point) for point in one.points]}
            for one in trend.lines
        ],
        "all": [_point(point) for point in trend.all.points],
    }


def sparkline(points: Iterable[Point], low: float, marks: str, gap: str) -> str:
    """Return one mark per point, the first for ``low`` percent or less, the last for 100."""
    height = len(marks) - 1
    told = []
    for point in points:
        share = None if point.percent is None else (point.percent - low) / (FULL - low)
        told.append(gap if share is None else marks[max(0, int(share * height))])
    return "".join(told)


def _row(made: Table, one: Line, name: str, low: int, style: str = "") -> None:
    gap = _GAP if _marks() == _BLOCKS else _PLAIN_GAP
    known = one.known
    first, last = (known[0].counts, known[-1].counts) if known else (None, None)
    made.add_row(
        cell(name),
        Text(sparkline(one.points, low, _marks(), gap), no_wrap=True),
        percent_text(first, language()),
        percent_text(last, language()),
        change_cell(first, last),
        str(max(point.hosts for point in one.points)),
        style=style or None,
    )


def _marks() -> str:
    """Return the marks that stdout can say."""
    try:
        _BLOCKS.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN
    return _BLOCKS


def _first_column(by: By) -> str:
    return {By.HOST: _("host"), By.AGENCY: _("agency"), By.CHAPTER: _("chapter")}[by]


def _name(name: str, by: By) -> str:
    if name:
        return name
    return _("no longer in the baseline") if by is By.CHAPTER else _("no agency")


def _worst_first(one: Line) -> tuple[float, str]:
    value = one.known[-1].percent if one.known else None
    return (FULL if value is None else value, one.name)


def _point(point: Point) -> dict[str, Any]:
    verdicts = point.counts.verdicts if point.counts else {}
    value = point.percent
    return {
        "at": point.at.isoformat(),
        "compliant": None if value is None else round(value, 2),
        "hosts": point.hosts,
        **{one.value: verdicts.get(one, 0) for one in (Verdict.PASS, Verdict.FAIL, Verdict.ERROR)},
    }

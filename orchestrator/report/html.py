"""The report as one HTML file that needs nothing else: no network, no script, A4 on paper."""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.model.finding import Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.record import Counts
from orchestrator.model.status import Matter
from orchestrator.model.text import shorten, visible
from orchestrator.model.waiver import WaiverState
from orchestrator.report import antivirus_words, chart, digest, scores, watch_words, words
from orchestrator.report.alert_words import alert_kind_name, alert_text
from orchestrator.report.chapter_words import chapter_name
from orchestrator.report.compliance import (
    NOTHING,
    SEVEREST_FIRST,
    Judged,
    change_text,
    percent_text,
)
from orchestrator.report.data import ChapterCounts, HostSection, ReportData
from orchestrator.report.matter_words import matter_title
from orchestrator.workspace.shipped import shipped

TEMPLATE = "report/report.html.j2"
_LONGEST_VALUE = 300
_MOST_NAMES = 4
_COLUMNS = 7
_DAY = timedelta(days=1)


def render_html(data: ReportData, template_dirs: Sequence[Path] | None = None) -> str:
    """Return the report in the operator's language; ``template_dirs`` default to the shipped ones.

    Every text is data: it is spelled out where it does not print, escaped, and never evaluated.
    """
    environment = Environment(
        loader=FileSystemLoader(template_dirs or [shipped("templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update({"_": _, "_n": _n})
    environment.filters.update(
        percent=partial(percent_text, language=language()),
        points=partial(change_text, language=language()),
        day=_day,
        date=_date,
        moment=_moment,
        value=lambda text: shorten(in_words(text), _LONGEST_VALUE),
        count=_count,
        span=words.span_text,
        matter=_matter,
        # Coordinates: made by us, a tenth of a pixel is enough.
        at=lambda number: f"{number:.1f}",
    )
    environment.tests.update(mended=digest.is_mended)
    return environment.get_template(TEMPLATE).render(_view(data))


def _shown(value: Any) -> Any:
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return visible(value) if plain else value


def _view(data: ReportData) -> dict[str, Any]:
    """Return what the template shows: the data, digested."""
    chapters, doubts = scores.by_chapter(data), digest.doubts(data)
    names = [one.name for one in chapters]
    whole, agencies = scores.overall(data), scores.by_agency(data)
    axes = chart.Axes.of(one.line for one in (whole, *agencies) if one.line)
    return {
        "data": data,
        "language": language(),
        "words": words,
        "antivirus_words": antivirus_words,
        "chapter_name": chapter_name,
        "title": partial(_title, data),
        "references": partial(_references, data),
        "tick": partial(_tick, data),
        "Verdict": Verdict,
        "WaiverState": WaiverState,
        "Judged": Judged,
        "SEVEREST_FIRST": SEVEREST_FIRST,
        "score": whole,
        "agencies": agencies,
        "levels": scores.by_level(data),
        "chapters": chapters,
        "large": partial(_drawn, axes, chart.LARGE),
        "small": partial(_drawn, axes, chart.SMALL),
        "matrices": _matrices(data, sorted(names, key=lambda name: (not name, name))),
        "doubts": doubts,
        "doubts_of": {host.name: found for host, found in doubts},
        "failures": digest.by_control(digest.open_failures(data)),
        "unread": digest.by_control(digest.unread(data)),
        "waived": digest.by_control(digest.waived_failures(data)),
        "waivers": digest.waivers(data),
        "drift": digest.by_transition(data.drift),
        "events": digest.events(data.drift),
        "protections": [
            (one, "; ".join(words.lack_text(lack, data.gate) for lack in lacks))
            for one in data.protections
            for lacks in (one.lacks(data.gate, data.created),)
        ],
        "patches": [(one, words.patches_text(one)) for one in data.patches],
        "watches": digest.watches(data),
        "alert_text": alert_text,
        "alert_kind_name": alert_kind_name,
        "watch_lack": watch_words.lack_text,
        "runs": [(one, digest.endings(one), digest.troubled(one)) for one in data.runs],
    }


def _drawn(axes: chart.Axes | None, frame: chart.Frame, score: scores.Score) -> chart.Chart | None:
    return chart.draw(score.line, axes, frame) if axes else None


def _title(data: ReportData, control: str) -> str:
    known = data.controls.get(control)
    return known.title.in_language(language()) if known else ""


def _references(data: ReportData, control: str) -> str:
    known = data.controls.get(control)
    refs = known.refs if known else {}
    return "; ".join(f"{benchmark} {', '.join(items)}" for benchmark, items in refs.items())


def _matter(matter: Matter) -> str:
    names, left = matter.hosts[:_MOST_NAMES], len(matter.hosts) - _MOST_NAMES
    told = ", ".join(names)
    if left > 0:
        more = _n("{names} and {n} more server", "{names} and {n} more servers", left)
        told = more.format(names=told, n=left)
    return matter_title(matter, told)


def _matrices(
    data: ReportData, names: Sequence[str]
) -> list[tuple[Sequence[str], list[tuple[HostSection, list[ChapterCounts | None]]]]]:
    """Return tables of at most seven chapters, of about equal width.

    Each has the names of its chapters, and per host its counts in them.
    """
    audited = sorted(data.assessed, key=lambda host: host.name)
    tables = []
    width = math.ceil(len(names) / math.ceil(len(names) / _COLUMNS)) if names else 1
    for start in range(0, len(names), width):
        columns = names[start : start + width]
        rows = []
        for host in audited:
            by_name = {chapter.chapter: chapter for chapter in host.chapters}
            rows.append((host, [by_name.get(name) for name in columns]))
        tables.append((columns, rows))
    return tables


def _count(counts: Counts | None, verdict: Verdict) -> str:
    return NOTHING if counts is None else str(counts.verdicts.get(verdict, 0))


def _day(moment: datetime | None) -> str:
    if moment is None:
        return NOTHING
    return _date(moment.astimezone().date())


def _date(day: date) -> str:
    return f"{day:%d/%m/%Y}" if language() == "vi" else f"{day:%Y-%m-%d}"


def _moment(moment: datetime | None) -> str:
    return NOTHING if moment is None else f"{_day(moment)} {moment.astimezone():%H:%M}"


def _tick(data: ReportData, moment: datetime) -> str:
    """Return a moment below the drawing: the day, and the hour where periods are shorter."""
    local = moment.astimezone()
    day = f"{local:%d/%m}" if language() == "vi" else f"{local:%m-%d}"
    edges = data.trend.edges if data.trend else ()
    shorter = any(later - earlier < _DAY for earlier, later in pairwise(edges))
    return f"{day} {local:%H:%M}" if shorter else day

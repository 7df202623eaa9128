"""The report as one HTML file that needs nothing else: no network, no script, A4 on paper."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.drift import DriftEvent
from orchestrator.model.finding import Reach, Severity, Verdict
from orchestrator.model.host import Management
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.record import Counts
from orchestrator.model.text import shorten, visible
from orchestrator.report import digest, words
from orchestrator.report.compliance import NOTHING, SEVEREST_FIRST, percent, percent_text
from orchestrator.report.data import HostSection, ReportData, RunSection
from orchestrator.workspace.shipped import shipped

TEMPLATE = "report/report.html.j2"
_LONGEST_VALUE = 300
_COLUMNS = 7


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
        day=_day,
        date=_date,
        moment=_moment,
        value=lambda text: shorten(in_words(text), _LONGEST_VALUE),
        share=_share,
        count=_count,
    )
    return environment.get_template(TEMPLATE).render(_view(data))


def _shown(value: Any) -> Any:
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return visible(value) if plain else value


def _view(data: ReportData) -> dict[str, Any]:
    """Return what the template shows: the data, digested."""
    before, after = digest.sums(data.hosts)
    answered = [host for host in data.hosts if _assessed(host)]
    failures = digest.open_failures(data)
    return {
        "data": data,
        "language": language(),
        "words": words,
        "title": partial(_title, data),
        "references": partial(_references, data),
        "Verdict": Verdict,
        "before": before,
        "after": after,
        "assessed": answered,
        "both": sum(host.before is not None and host.after is not None for host in data.hosts),
        "agencies": digest.agencies(data),
        "chapters": digest.chapters(data.hosts),
        "matrices": _matrices(data),
        "not_assessed": digest.not_assessed(data),
        "unmanaged": sum(host.management is Management.UNMANAGED for host in data.hosts),
        "severities": _severities(finding.severity for finding in failures),
        "failures": digest.by_control(failures),
        "unread": digest.by_control(digest.unread(data)),
        "waived": digest.by_control(digest.waived_failures(data)),
        "waivers": digest.waivers(data),
        "drift": digest.by_transition(data.drift),
        "events": _events(data),
        "runs": [(section, _endings(section), _troubled(section)) for section in data.runs],
        "rolled_back": _rolled_back(data),
    }


def _title(data: ReportData, control: str) -> str:
    known = data.controls.get(control)
    return known.title.in_language(language()) if known else ""


def _references(data: ReportData, control: str) -> str:
    known = data.controls.get(control)
    refs = known.refs if known else {}
    return "; ".join(f"{benchmark} {', '.join(items)}" for benchmark, items in refs.items())


def _assessed(host: HostSection) -> bool:
    return host.management is not Management.UNMANAGED and host.reach is Reach.ANSWERED


def _matrices(data: ReportData) -> list[tuple[list[str], list[tuple[HostSection, list[Any]]]]]:
    """Return tables of at most seven chapters: their names, and per host its counts in them."""
    names = sorted({chapter.chapter for host in data.hosts for chapter in host.chapters})
    audited = sorted((host for host in data.hosts if host.chapters), key=lambda host: host.name)
    tables = []
    for start in range(0, len(names), _COLUMNS):
        columns = names[start : start + _COLUMNS]
        rows = []
        for host in audited:
            by_name = {chapter.chapter: chapter for chapter in host.chapters}
            rows.append((host, [by_name.get(name) for name in columns]))
        tables.append((columns, rows))
    return tables


def _severities(found: Iterable[Severity]) -> list[tuple[Severity, int]]:
    counted = Counter(found)
    return [(severity, counted[severity]) for severity in SEVEREST_FIRST if counted[severity]]


def _events(data: ReportData) -> list[tuple[DriftEvent, int]]:
    counted = Counter(one.event for one in data.drift)
    return [(event, counted[event]) for event in digest.EVENTS if counted[event]]


def _endings(section: RunSection) -> list[tuple[Outcome, int]]:
    counted = Counter(one.outcome for one in section.outcomes)
    return [(outcome, counted[outcome]) for outcome in Outcome if counted[outcome]]


def _troubled(section: RunSection) -> list[HostOutcome]:
    """Return the hosts where a change did not end well, by name."""
    fine = (Outcome.CONFIRMED, Outcome.UNCHANGED)
    bad = (one for one in section.outcomes if one.outcome not in fine or one.still_failing)
    return sorted(bad, key=lambda one: one.host)


def _rolled_back(data: ReportData) -> int:
    return len(
        {
            one.host
            for section in data.runs
            for one in section.outcomes
            if one.outcome is Outcome.ROLLED_BACK
        }
    )


def _count(counts: Counts | None, verdict: Verdict) -> str:
    return NOTHING if counts is None else str(counts.verdicts.get(verdict, 0))


def _share(counts: Counts | None, verdict: Verdict) -> str:
    """Return what a verdict takes of a bar, in percent of what was judged, for CSS."""
    judged = (Verdict.PASS, Verdict.FAIL, Verdict.ERROR)
    if counts is None or percent(counts) is None:
        return "0"
    whole = sum(counts.verdicts.get(one, 0) for one in judged)
    return f"{100 * counts.verdicts.get(verdict, 0) / whole:.2f}"


def _day(moment: datetime | None) -> str:
    if moment is None:
        return NOTHING
    return _date(moment.astimezone().date())


def _date(day: date) -> str:
    return f"{day:%d/%m/%Y}" if language() == "vi" else f"{day:%Y-%m-%d}"


def _moment(moment: datetime | None) -> str:
    return NOTHING if moment is None else f"{_day(moment)} {moment.astimezone():%H:%M}"

"""Compliance over time: of each host, agency or chapter, and of all of them together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from orchestrator.model.finding import Verdict
from orchestrator.model.record import Counts, Sample, Summary
from orchestrator.report.compliance import total
from orchestrator.report.series import By, Line, Point, Trend

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

# A line of a table has room for so many marks.
MOST_PERIODS = 40
# How far back is looked unless somebody says otherwise.
USUAL = timedelta(days=30)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STEPS = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY)


def periods(since: datetime, until: datetime) -> tuple[datetime, ...]:
    """Return the edges of equal periods that end at ``until`` and begin at ``since`` or before.

    The shortest step counts of which ``MOST_PERIODS`` are enough; raises ValueError where
    ``since`` is not before ``until``.
    """
    if since >= until:
        raise ValueError("the time ends before it begins")
    span = until - since
    step = next((one for one in _STEPS if span <= MOST_PERIODS * one), None)
    while step is None or span > MOST_PERIODS * step:
        step = (step or _STEPS[-1]) * 2
    number = -(-span // step)
    return tuple(until - step * (number - n) for n in range(number + 1))


def trend(
    store: "Store",
    by: By,
    edges: Sequence[datetime],
    chapters: Mapping[str, str],
    hosts: Sequence[str] | None = None,
) -> Trend:
    """Return the trend over periods, of some hosts or all; ``chapters`` is control → chapter.

    A host counts in a period if a whole audit reached it then. Controls that are in no chapter any
    more are in the chapter without a name. Raises ControllerError where the store fails.
    """
    samples = store.samples(edges, hosts)
    grouped: dict[str, dict[int, list[Counts]]] = defaultdict(lambda: defaultdict(list))
    together: dict[int, list[Counts]] = defaultdict(list)
    for sample, name, counts in _parts(samples, by, chapters):
        grouped[name][sample.period].append(counts)
    for sample in samples:
        together[sample.period].append(sample.summary.counts)
    ends = edges[1:]
    lines = tuple(Line(name, _points(ends, grouped[name])) for name in sorted(grouped))
    return Trend(by, tuple(edges), lines, Line("", _points(ends, together)))


def _parts(
    samples: Iterable[Sample], by: By, chapters: Mapping[str, str]
) -> Iterator[tuple[Sample, str, Counts]]:
    """Yield each sample with the line that it belongs to and its counts for that line."""

    @cache
    def by_chapter(place: int) -> Mapping[str, Counts]:
        return _of_chapters(summaries[place], chapters)

    summaries = {id(sample.summary): sample.summary for sample in samples}
    for sample in samples:
        if by is By.HOST:
            yield sample, sample.host, sample.summary.counts
        elif by is By.AGENCY:
            yield sample, sample.agency, sample.summary.counts
        else:
            for chapter, counts in by_chapter(id(sample.summary)).items():
                yield sample, chapter, counts


def _of_chapters(summary: Summary, chapters: Mapping[str, str]) -> Mapping[str, Counts]:
    found: dict[str, dict[Verdict, int]] = defaultdict(lambda: defaultdict(int))
    for control, verdict in (summary.verdicts or {}).items():
        found[chapters.get(control, "")][verdict] += 1
    return {chapter: Counts(dict(verdicts)) for chapter, verdicts in found.items()}


def _points(ends: Sequence[datetime], found: Mapping[int, list[Counts]]) -> tuple[Point, ...]:
    return tuple(
        Point(end, total(found[number]), len(found[number])) if number in found else Point(end)
        for number, end in enumerate(ends)
    )

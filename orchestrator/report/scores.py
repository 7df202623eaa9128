"""Scores: how hosts stand together, by agency, system level and chapter. Pure.

Every score is made of the same counts, so those of the parts add up to that of the whole.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from orchestrator.model.finding import Severity, Verdict
from orchestrator.model.record import Counts, CurrentFinding
from orchestrator.report.compliance import GRAVE, Judged, change, percent, total
from orchestrator.report.data import ChapterCounts, HostSection, ReportData
from orchestrator.report.series import FULL, Line

Key = TypeVar("Key")


@dataclass(frozen=True)
class Score:
    """How the ``hosts`` of one ``name`` stand together; an empty name is one that nobody stated.

    ``before`` and ``after`` are sums over the same hosts, those that were assessed; None where
    nobody was. ``open`` (failures by severity), ``waived`` and ``unread`` count what stands on all
    of them, as it was seen last. ``line`` is their trend, up to ``after``.
    """

    name: str
    hosts: tuple[HostSection, ...] = ()
    before: Counts | None = None
    after: Counts | None = None
    open: Mapping[Severity, int] = field(default_factory=dict)
    waived: int = 0
    unread: int = 0
    line: Line | None = None

    @property
    def assessed(self) -> int:
        """Return of how many hosts the figures are."""
        return sum(host.assessed for host in self.hosts)

    @property
    def judged(self) -> Judged:
        """Return what was judged, taken apart."""
        return Judged.of(self.after)

    @property
    def change(self) -> float | None:
        """Return the change since the first audits, in percentage points."""
        return change(self.before, self.after)

    @property
    def grave(self) -> int:
        """Return how many grave failures are open."""
        return sum(self.open.get(severity, 0) for severity in GRAVE)


def overall(data: ReportData) -> Score:
    """Return how all hosts stand together."""
    return _score("", data.hosts, data.findings, data.trend.all if data.trend else None)


def by_agency(data: ReportData) -> tuple[Score, ...]:
    """Return the score of each agency with its trend, by name; the nameless agency comes last."""
    lines = {line.name: line for line in data.trend.lines} if data.trend else {}
    found = _by_host(data, lambda host: host.agency)
    return tuple(
        _score(name, hosts, findings, lines.get(name))
        for name, hosts, findings in sorted(found, key=lambda one: (not one[0], one[0]))
    )


def by_level(data: ReportData) -> tuple[Score, ...]:
    """Return the score of each system level, the highest first; without a level come last."""
    found = _by_host(data, lambda host: host.level)
    return tuple(
        _score("" if level is None else str(level), hosts, findings)
        for level, hosts, findings in sorted(found, key=lambda one: -(one[0] or 0))
    )


def by_chapter(data: ReportData) -> tuple[Score, ...]:
    """Return the score of each chapter, the weakest first; the nameless one comes last."""
    counts: dict[str, list[ChapterCounts]] = defaultdict(list)
    hosts: dict[str, list[HostSection]] = defaultdict(list)
    for host in data.assessed:
        for chapter in host.chapters:
            counts[chapter.chapter].append(chapter)
            hosts[chapter.chapter].append(host)
    findings: dict[str, list[CurrentFinding]] = defaultdict(list)
    for finding in data.findings:
        findings[data.chapter_of(finding.control)].append(finding)
    found = [_sum(name, hosts[name], counts[name], findings[name]) for name in {*counts, *findings}]
    return tuple(sorted(found, key=_weakest_first))


def _by_host(
    data: ReportData, key: Callable[[HostSection], Key]
) -> list[tuple[Key, tuple[HostSection, ...], list[CurrentFinding]]]:
    keys = {host.name: key(host) for host in data.hosts}
    hosts: dict[Key, list[HostSection]] = defaultdict(list)
    for host in sorted(data.hosts, key=lambda one: one.name):
        hosts[keys[host.name]].append(host)
    findings: dict[Key, list[CurrentFinding]] = defaultdict(list)
    for finding in data.findings:
        findings[keys[finding.host]].append(finding)
    return [(one, tuple(many), findings[one]) for one, many in hosts.items()]


def _score(
    name: str,
    hosts: tuple[HostSection, ...],
    findings: Iterable[CurrentFinding],
    line: Line | None = None,
) -> Score:
    assessed = [host for host in hosts if host.assessed]
    made = _sum(name, hosts, assessed, findings)
    if line and made.after:
        # Figures of the days before are of the hosts of these days; the last ones are the score.
        now = replace(line.points[-1], counts=made.after, hosts=len(assessed))
        line = replace(line, points=(*line.points[:-1], now))
    return replace(made, line=line)


def _sum(
    name: str,
    hosts: Iterable[HostSection],
    counted: Sequence[HostSection] | Sequence[ChapterCounts],
    findings: Iterable[CurrentFinding],
) -> Score:
    many = list(findings)
    return Score(
        name=name,
        hosts=tuple(hosts),
        before=total(one.before for one in counted) if counted else None,
        after=total(one.after for one in counted) if counted else None,
        open=Counter(one.severity for one in many if one.open),
        waived=sum(one.waived for one in many),
        unread=sum(one.verdict is Verdict.ERROR for one in many),
    )


def _weakest_first(score: Score) -> tuple[bool, float, str]:
    value = percent(score.after)
    return (not score.name, FULL if value is None else value, score.name)

"""What the readers of a report want to see first: sums, groups and orders of its data. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.finding import Mark, Reach, Severity, Verdict
from orchestrator.model.host import Management
from orchestrator.model.record import Counts, CurrentFinding
from orchestrator.model.waiver import Waiver
from orchestrator.report.compliance import SEVEREST_FIRST, total
from orchestrator.report.data import ChapterCounts, HostSection, ReportData

EVENTS = (
    DriftEvent.REGRESSED,
    DriftEvent.OPENED,
    DriftEvent.UNREADABLE,
    DriftEvent.NOT_CHECKED,
    DriftEvent.CHANGED,
    DriftEvent.RESOLVED,
)


@dataclass(frozen=True)
class Agency:
    """The hosts of one agency, and their sums over those that have both audits."""

    name: str
    hosts: tuple[HostSection, ...]
    before: Counts | None
    after: Counts | None


@dataclass(frozen=True)
class Value:
    """What was wanted, what was there, and on which hosts."""

    expected: str
    observed: str
    pending: bool
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class ControlGroup:
    """One control that stands alike on some hosts, by what was there."""

    control: str
    severity: Severity
    hosts: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class DriftGroup:
    """The same transition on several hosts."""

    control: str
    severity: Severity
    event: DriftEvent
    cause: Cause
    expected: str
    observed: str
    hosts: tuple[str, ...]


def agencies(data: ReportData) -> tuple[Agency, ...]:
    """Return the managed hosts by agency; the nameless agency comes last."""
    by_name: dict[str, list[HostSection]] = defaultdict(list)
    for host in data.hosts:
        if host.management is not Management.UNMANAGED:
            by_name[host.agency].append(host)
    return tuple(
        Agency(name, tuple(sorted(by_name[name], key=lambda host: host.name)), *sums(by_name[name]))
        for name in sorted(by_name, key=lambda name: (not name, name))
    )


def sums(hosts: Iterable[HostSection]) -> tuple[Counts | None, Counts | None]:
    """Return the sums before and after, over the hosts that have both; None where none has."""
    both = [host for host in hosts if host.before is not None and host.after is not None]
    if not both:
        return (None, None)
    return (total(host.before for host in both), total(host.after for host in both))


def chapters(hosts: Iterable[HostSection]) -> tuple[ChapterCounts, ...]:
    """Return each chapter summed over the hosts that have both audits of it."""
    found: dict[str, list[ChapterCounts]] = defaultdict(list)
    for host in hosts:
        for chapter in host.chapters:
            found[chapter.chapter].append(chapter)
    made = []
    for name in sorted(found):
        both = [c for c in found[name] if c.before is not None and c.after is not None]
        if both:
            before, after = total(c.before for c in both), total(c.after for c in both)
            made.append(ChapterCounts(name, before, after))
        else:
            made.append(ChapterCounts(name, None, total(c.after for c in found[name])))
    return tuple(made)


def not_assessed(data: ReportData) -> tuple[HostSection, ...]:
    """Return the hosts that the last attempt gave no findings of, unmanaged ones included."""
    return tuple(
        host
        for host in data.hosts
        if host.management is Management.UNMANAGED or host.reach is not Reach.ANSWERED
    )


def open_failures(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return the failures that no waiver covers, also those behind an ``error``."""
    return tuple(one for one in data.findings if _fails(one) and Mark.WAIVED not in one.marks)


def waived_failures(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return the accepted failures."""
    return tuple(
        one for one in data.findings if one.verdict is Verdict.FAIL and Mark.WAIVED in one.marks
    )


def waivers(data: ReportData) -> tuple[tuple[Waiver, tuple[str, ...], bool], ...]:
    """Return (waiver, the report's hosts in it, whether it counts); the last to end comes last.

    Those that were ended by hand are left out.
    """
    names, today = {host.name for host in data.hosts}, data.created.astimezone().date()
    found = (
        (one, tuple(host for host in one.hosts if host in names), one.counts(today))
        for one in sorted(data.waivers, key=lambda one: (one.until, one.id))
        if one.ended is None
    )
    return tuple(row for row in found if row[1])


def unread(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return what the last audit could not read or did not check, unless it counts as failure."""
    return tuple(
        one
        for one in data.findings
        if one.verdict in (Verdict.ERROR, Verdict.NOT_CHECKED) and not _fails(one)
    )


def by_control(findings: Iterable[CurrentFinding]) -> tuple[ControlGroup, ...]:
    """Return the findings by control, severest and most frequent first."""
    found: dict[str, list[CurrentFinding]] = defaultdict(list)
    for finding in findings:
        found[finding.control].append(finding)
    groups = [
        ControlGroup(control, _severest(many), len(many), _values(many))
        for control, many in found.items()
    ]
    return tuple(sorted(groups, key=_group_order))


def by_transition(drift: Sequence[Drift]) -> tuple[DriftGroup, ...]:
    """Return the drift with equal transitions put together, the most urgent first."""
    hosts: dict[DriftGroup, set[str]] = defaultdict(set)
    for one in drift:
        key = DriftGroup(
            one.control, one.severity, one.event, one.cause, one.expected, one.observed, ()
        )
        hosts[key].add(one.host)
    groups = [replace(key, hosts=tuple(sorted(names))) for key, names in hosts.items()]
    return tuple(
        sorted(
            groups,
            key=lambda g: (EVENTS.index(g.event), SEVEREST_FIRST.index(g.severity), g.control),
        )
    )


def _fails(finding: CurrentFinding) -> bool:
    return finding.open or (finding.verdict is Verdict.FAIL and finding.reading is None)


def _severest(many: Iterable[CurrentFinding]) -> Severity:
    return min((one.severity for one in many), key=SEVEREST_FIRST.index)


def _group_order(group: ControlGroup) -> tuple[int, int, str]:
    return (SEVEREST_FIRST.index(group.severity), -group.hosts, group.control)


def _values(many: Iterable[CurrentFinding]) -> tuple[Value, ...]:
    hosts: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for one in many:
        hosts[(one.expected, one.observed, Mark.PENDING in one.marks)].append(one.host)
    values = [Value(*key, tuple(sorted(names))) for key, names in hosts.items()]
    return tuple(sorted(values, key=lambda value: (-len(value.hosts), value.observed)))

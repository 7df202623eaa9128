"""What the readers of a report want to see: its data in groups and orders. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.alert import KeptAlert
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.finding import Mark, Reach, Severity, Verdict
from orchestrator.model.host import Management
from orchestrator.model.record import CurrentFinding, RunKind
from orchestrator.model.waiver import Waiver, WaiverState
from orchestrator.model.watch import WatchStanding
from orchestrator.report.compliance import SEVEREST_FIRST
from orchestrator.report.data import HostSection, ReportData, RunSection

EVENTS = (
    DriftEvent.REGRESSED,
    DriftEvent.OPENED,
    DriftEvent.UNREADABLE,
    DriftEvent.NOT_CHECKED,
    DriftEvent.CHANGED,
    DriftEvent.RESOLVED,
)
# Of one control so many values are told; hosts with others are named together. A report of
# hundreds of hosts, each with a value of its own, would be too large to open.
MOST_VALUES = 8


class Doubt(StrEnum):
    """Why the figures do not speak of a host, or not without a word on it."""

    UNMANAGED = "unmanaged"
    NEVER = "never"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    PARTIAL = "partial"
    STALE = "stale"
    AUDIT_ONLY = "audit_only"


@dataclass(frozen=True)
class Value:
    """What was wanted, what was there, and on which hosts.

    ``others`` above 0 says that the hosts have so many further values, and the texts are empty.
    """

    expected: str
    observed: str
    pending: bool
    hosts: tuple[str, ...]
    others: int = 0


@dataclass(frozen=True)
class ControlGroup:
    """One control that stands alike on some hosts, by what was there."""

    control: str
    severity: Severity
    values: tuple[Value, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the hosts, by name."""
        return tuple(sorted({host for value in self.values for host in value.hosts}))


@dataclass(frozen=True)
class DriftGroup(ControlGroup):
    """What happened to one control, with its cause, by what was there afterwards."""

    event: DriftEvent
    cause: Cause


def is_mended(group: ControlGroup) -> bool:
    """Tell whether what was there afterwards needs no words: it is as it should be."""
    return isinstance(group, DriftGroup) and group.event is DriftEvent.RESOLVED


def doubts(data: ReportData) -> tuple[tuple[HostSection, tuple[Doubt, ...]], ...]:
    """Return the hosts that the figures do not speak of, or not without a word, the former first.

    Each comes with every reason; who is most in the dark comes first.
    """
    found = ((host, tuple(one for one in Doubt if _is(host, one))) for host in data.hosts)
    order = list(Doubt)
    return tuple(
        sorted(
            (row for row in found if row[1]),
            key=lambda row: (row[0].assessed, order.index(row[1][0]), row[0].name),
        )
    )


def _is(host: HostSection, doubt: Doubt) -> bool:
    unmanaged = host.management is Management.UNMANAGED
    return {
        Doubt.UNMANAGED: unmanaged,
        Doubt.NEVER: not unmanaged and host.reach is None,
        Doubt.UNREACHABLE: not unmanaged and host.reach is Reach.UNREACHABLE,
        Doubt.NO_ANSWER: not unmanaged and host.reach is Reach.FAILED,
        Doubt.PARTIAL: not unmanaged and host.reach is Reach.ANSWERED and not host.assessed,
        Doubt.STALE: host.stale and host.assessed,
        Doubt.AUDIT_ONLY: host.management is Management.AUDIT_ONLY,
    }[doubt]


def open_failures(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return the failures that no waiver covers, also those behind an ``error``."""
    return tuple(one for one in data.findings if one.open)


def waived_failures(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return the accepted failures."""
    return tuple(one for one in data.findings if one.waived)


def unread(data: ReportData) -> tuple[CurrentFinding, ...]:
    """Return what the last audit could not read or did not check, unless it counts as failure."""
    return tuple(
        one
        for one in data.findings
        if one.verdict in (Verdict.ERROR, Verdict.NOT_CHECKED) and not one.open
    )


def waivers(data: ReportData) -> tuple[tuple[Waiver, tuple[str, ...], WaiverState], ...]:
    """Return (waiver, the report's hosts in it, its state); the last to end comes last.

    Those that were ended by hand are left out.
    """
    names, today = {host.name for host in data.hosts}, data.created.astimezone().date()
    found = (
        (one, tuple(host for host in one.hosts if host in names), one.state(today))
        for one in sorted(data.waivers, key=lambda one: (one.until, one.id))
        if one.ended is None
    )
    return tuple(row for row in found if row[1])


def by_control(findings: Iterable[CurrentFinding]) -> tuple[ControlGroup, ...]:
    """Return the findings by control, severest and most frequent first."""
    found: dict[str, list[CurrentFinding]] = defaultdict(list)
    for finding in findings:
        found[finding.control].append(finding)
    groups = [
        ControlGroup(control, _severest(many), _values(many)) for control, many in found.items()
    ]
    return tuple(sorted(groups, key=_group_order))


def by_transition(drift: Iterable[Drift]) -> tuple[DriftGroup, ...]:
    """Return what happened to each control, the most urgent event and severity first."""
    found: dict[tuple[str, DriftEvent, Cause], list[Drift]] = defaultdict(list)
    for one in drift:
        found[(one.control, one.event, one.cause)].append(one)
    groups = [
        DriftGroup(control, _severest(many), _values(many), event, cause)
        for (control, event, cause), many in found.items()
    ]
    return tuple(sorted(groups, key=lambda one: (EVENTS.index(one.event), *_group_order(one))))


def events(drift: Iterable[Drift]) -> list[tuple[DriftEvent, int]]:
    """Return how often each event happened, the most urgent first."""
    counted = Counter(one.event for one in drift)
    return [(event, counted[event]) for event in EVENTS if counted[event]]


def endings(section: RunSection) -> list[tuple[Outcome, int, bool]]:
    """Return on how many hosts a change ended how, and whether that is well."""
    counted = Counter(one.outcome for one in section.outcomes)
    fine = _wished(section)
    return [(one, counted[one], one in fine) for one in Outcome if counted[one]]


def troubled(section: RunSection) -> list[HostOutcome]:
    """Return the hosts where a change did not end well, by name."""
    fine = _wished(section)
    bad = (one for one in section.outcomes if one.outcome not in fine or one.still_failing)
    return sorted(bad, key=lambda one: one.host)


def _wished(section: RunSection) -> tuple[Outcome, ...]:
    """Return the outcomes that a run was for: a rollback is there to take back."""
    last = (Outcome.ROLLED_BACK,) if section.run.kind is RunKind.ROLLBACK else ()
    return (Outcome.CONFIRMED, Outcome.UNCHANGED, *last)


def _group_order(group: ControlGroup) -> tuple[int, int, str]:
    return (SEVEREST_FIRST.index(group.severity), -len(group.names), group.control)


def _severest(many: Iterable[CurrentFinding | Drift]) -> Severity:
    return min((one.severity for one in many), key=SEVEREST_FIRST.index)


def _values(many: Iterable[CurrentFinding | Drift]) -> tuple[Value, ...]:
    """Return the most frequent values with their hosts, then one that stands for the others."""
    hosts: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for one in many:
        pending = isinstance(one, CurrentFinding) and Mark.PENDING in one.marks
        hosts[(one.expected, one.observed, pending)].add(one.host)
    values = [Value(*key, tuple(sorted(names))) for key, names in hosts.items()]
    values.sort(key=lambda value: (-len(value.hosts), value.observed, value.expected))
    return (*values[:MOST_VALUES], *_others(values[MOST_VALUES:]))


def _others(values: Sequence[Value]) -> tuple[Value, ...]:
    if len(values) < 2:  # noqa: PLR2004 - one value needs no row that stands for many
        return tuple(values)
    names = sorted({host for value in values for host in value.hosts})
    return (Value("", "", pending=False, hosts=tuple(names), others=len(values)),)


def watches(data: ReportData) -> list[tuple[WatchStanding, list[KeptAlert], list[KeptAlert]]]:
    """Return of each host that watches itself its standing, its alerts, and the open ones."""
    told = []
    for one in data.watches:
        alerts = [each for each in data.alerts if each.alert.host == one.host]
        told.append((one, alerts, [each for each in alerts if each.open]))
    return told

"""What the store remembers: hosts, runs, findings as they stand, counts, the log. Times are UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from orchestrator.model.change import Outcome
from orchestrator.model.drift import Drift
from orchestrator.model.evidence import Evidence
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Severity, Verdict


class RunKind(StrEnum):
    """What a run does to the hosts."""

    AUDIT = "audit"
    APPLY = "apply"
    ROLLBACK = "rollback"
    REBOOT = "reboot"


class RunStatus(StrEnum):
    """How far a run got; a killed controller leaves ``RUNNING`` behind."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class NewRun:
    """What is known when a run starts.

    ``limit`` is the host pattern as typed. ``scope`` is the text of ``--chapter``/``--control``;
    empty means the whole baseline of every host. ``plan`` is the id of the saved plan that the run
    uses; a plan is used once.
    """

    kind: RunKind
    operator: str
    profile: str = ""
    limit: str = ""
    scope: str = ""
    note: str = ""
    plan: str = ""


@dataclass(frozen=True)
class Run:
    """One run; ``id`` is text that sorts by time (``20261123T191300Z-048213``)."""

    id: str
    kind: RunKind
    operator: str
    controller: str
    started: datetime
    tool: str
    ended: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    profile: str = ""
    limit: str = ""
    scope: str = ""
    note: str = ""
    plan: str = ""

    @property
    def partial(self) -> bool:
        """Tell whether the run looked at a part of the baseline only."""
        return bool(self.scope)


@dataclass(frozen=True)
class Counts:
    """How many controls of a host have each verdict; ``waived`` failures are also in ``FAIL``."""

    verdicts: Mapping[Verdict, int]
    waived: int = 0

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> "Counts":
        """Count the findings of one host."""
        verdicts: dict[Verdict, int] = {}
        for finding in findings:
            verdicts[finding.verdict] = verdicts.get(finding.verdict, 0) + 1
        waived = sum(f.verdict is Verdict.FAIL and Mark.WAIVED in f.marks for f in findings)
        return cls(verdicts, waived)


@dataclass(frozen=True)
class Summary:
    """How the controls of a host stood in an audit.

    ``verdicts`` are by control; None where an older version kept the counts alone.
    """

    counts: Counts
    verdicts: Mapping[str, Verdict] | None = None


@dataclass(frozen=True)
class HostRun:
    """One host in one run.

    ``step`` is the last step that was entered (written before it begins). ``reach`` and ``counts``
    come from an audit, ``outcome`` from a change; each is None until it is known. ``manifest`` and
    ``evidence`` are SHA-256 digests in hexadecimal; the evidence is the host's answer, which
    ``aside`` completes (see ``model.evidence``).
    """

    run: str
    host: str
    step: str = ""
    reach: Reach | None = None
    outcome: Outcome | None = None
    reason: str = ""
    counts: Counts | None = None
    manifest: str = ""
    evidence: str = ""
    aside: str = ""
    seconds: float = 0.0
    changed: tuple[str, ...] = ()
    still_failing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What the last audit that could read a control found there (``error`` reads nothing).

    ``open`` says that it failed without a valid waiver. ``observed`` and ``want`` are digests of
    what was there and of the control as the manifest wanted it; ``tool`` is our version.
    """

    verdict: Verdict
    open: bool
    observed: str
    want: str
    tool: str


@dataclass(frozen=True)
class CurrentFinding:
    """How one (host, control) stands now.

    ``verdict``, ``expected``, ``observed`` and ``marks`` are those of the last audit that looked;
    ``since`` is when that verdict began. ``reading`` outlasts an ``error``: a failure behind it
    stays open. ``retired`` controls have left the host's baseline.
    """

    host: str
    control: str
    verdict: Verdict
    severity: Severity
    since: datetime
    last_run: str
    marks: frozenset[Mark] = frozenset()
    expected: str = ""
    observed: str = ""
    ever_passed: bool = False
    retired: bool = False
    reading: Reading | None = None

    @property
    def open(self) -> bool:
        """Tell whether a failure is open, be it visible or behind an ``error``."""
        return self.reading is not None and self.reading.open

    @property
    def waived(self) -> bool:
        """Tell whether it is a failure that a waiver covers."""
        return self.verdict is Verdict.FAIL and Mark.WAIVED in self.marks


@dataclass(frozen=True)
class Memory:
    """What the store knew of a host before an audit; ``referenced``: a whole audit was made."""

    findings: Mapping[str, CurrentFinding] = field(default_factory=dict)
    referenced: bool = False


@dataclass(frozen=True)
class Advance:
    """What an audit makes of a host's memory: how its findings stand, and what is different."""

    findings: Mapping[str, CurrentFinding] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class AuditedHost:
    """One host's audit with what was wanted of it; ``level`` is the information-security level.

    ``manifest`` is a digest; so is ``likeness``, of everything that the audit's judgement depends
    on: two audits in a row with one likeness need no second judgement. Empty: always judge.
    """

    audit: HostAudit
    manifest: str
    agency: str = ""
    level: int | None = None
    likeness: str = ""
    backup_waived: str = ""

    @cached_property
    def evidence(self) -> Evidence:
        """Return what the host answered."""
        return Evidence.of(self.audit.raw)


@dataclass(frozen=True)
class StoredHost:
    """A host that the store knows; its id outlasts its name. ``machine`` is the machine-id.

    ``held`` tells which run held it when it was audited last (``RUN STATE OPERATOR``);
    ``backup_waived`` why the inventory asks for no backups of it.
    """

    id: int
    name: str
    first_seen: datetime
    last_seen: datetime | None = None
    agency: str = ""
    level: int | None = None
    machine: str = ""
    held: str = ""
    held_since: datetime | None = None
    backup_waived: str = ""
    reference: str | None = None
    last_audit: str | None = None


@dataclass(frozen=True)
class Tally:
    """How many controls of a host stand alike; ``open`` as in :class:`CurrentFinding`."""

    host: str
    severity: Severity
    verdict: Verdict
    open: bool
    number: int


@dataclass(frozen=True)
class DriftFilter:
    """Which transitions are asked for; None asks for all.

    ``since`` is inclusive, ``until`` is not; ``limit`` keeps the newest.
    """

    since: datetime | None = None
    until: datetime | None = None
    run: str | None = None
    hosts: Sequence[str] | None = None
    controls: Sequence[str] | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Sample:
    """How a host stood at the end of a period: the summary of its last whole audit in it.

    ``period`` counts the periods that were asked for, from 0; ``agency`` is that of the time.
    """

    host: str
    agency: str
    period: int
    summary: Summary


@dataclass(frozen=True)
class Prunable:
    """What the store may forget of the time before a moment.

    ``audits`` counts (run, host) pairs that found nothing new, ``runs`` those of which nothing is
    left then, ``answers`` what hosts said word for word; ``answer_bytes`` is their compressed size.
    """

    before: datetime
    audits: int
    runs: int
    answers: int
    answer_bytes: int

    @property
    def nothing(self) -> bool:
        """Tell whether there is nothing to forget."""
        return not (self.audits or self.runs or self.answers)


@dataclass(frozen=True)
class Compliance:
    """The counts of one host before and after a run; None where no whole audit tells."""

    host: str
    before: Counts | None
    after: Counts | None


@dataclass(frozen=True)
class LogHead:
    """The place of one entry of the audit log and its hash: what a host keeps as a witness."""

    seq: int
    hash: str


@dataclass(frozen=True)
class LogEntry:
    """One entry of the audit log; ``at`` is ISO 8601 in UTC, as it was hashed."""

    seq: int
    at: str
    operator: str
    action: str
    detail: Mapping[str, Any]
    previous: str
    hash: str

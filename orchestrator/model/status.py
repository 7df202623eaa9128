"""How things stand, and what somebody has to do something about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.model.finding import Reach, Severity
from orchestrator.model.record import Counts, Run


class Concern(StrEnum):
    """Why somebody is needed, the most urgent first."""

    HELD = "held"
    CUT_OFF = "cut_off"
    CHANGE_FAILED = "change_failed"
    INTRUSION = "intrusion"
    FILES_DIFFER = "files_differ"
    MALWARE = "malware"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    NOT_ENROLLED = "not_enrolled"
    NEVER_AUDITED = "never_audited"
    STALE = "stale"
    VAULT_ALARM = "vault_alarm"
    UNPROTECTED = "unprotected"
    UNPATCHED = "unpatched"
    UPDATES_UNKNOWN = "updates_unknown"
    UNWATCHED = "unwatched"
    SIGNATURES = "signatures"
    SCANS = "scans"
    UNREAD = "unread"
    OPEN = "open"
    WAIVER_EXPIRED = "waiver_expired"


@dataclass(frozen=True)
class Matter:
    """One thing to do something about: the hosts, what is said of some of them, the command.

    Reasons are told in the order of the hosts. ``number`` counts findings, waivers, alerts or
    files, ``by_severity`` open ones; ``run`` is the run that it came from.
    """

    concern: Concern
    hosts: tuple[str, ...] = ()
    command: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    run: str = ""
    number: int = 0
    by_severity: Mapping[Severity, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Live:
    """What a host said just now: how far it was reached, who holds it (``RUN STATE OPERATOR``)."""

    reach: Reach
    reason: str = ""
    held: str = ""


@dataclass(frozen=True)
class Lapsed:
    """A waiver that expired: its name, and the hosts whose failure counts again."""

    name: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is asked: the moment, the age at which an audit is stale, and what else is known.

    ``hosts`` are the only ones that count; None: those of the newest audit of all hosts.
    """

    now: datetime
    stale_after: timedelta = timedelta(hours=24)
    live: Mapping[str, Live] = field(default_factory=dict)
    lapsed: Sequence[Lapsed] = ()
    hosts: Collection[str] | None = None

    def too_old(self, audited: datetime | None) -> bool:
        """Tell whether nothing newer than an audit of this moment is too little."""
        return audited is None or audited < self.now - self.stale_after


@dataclass(frozen=True)
class Status:
    """How things stand.

    ``hosts`` is how many count, ``counts`` how the controls stand of those that were assessed,
    ``open`` how many failures are open. ``last_audit`` is the newest of all hosts. ``waived`` says
    by host why it may be changed without a proved backup.
    """

    now: datetime
    hosts: int
    counts: Counts
    open: Mapping[Severity, int]
    last_audit: Run | None
    under_way: tuple[Run, ...] = ()
    matters: tuple[Matter, ...] = ()
    waived: Mapping[str, str] = field(default_factory=dict)

    @property
    def next(self) -> str:
        """Return the command to begin with; empty where all is calm."""
        return next((one.command for one in self.matters if one.command), "")

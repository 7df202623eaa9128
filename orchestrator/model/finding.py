"""What an audit says of a host: verdicts, findings, the answer of one host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The judgement of a state or a control; ``ERROR`` means that it could not be read."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    NOT_CHECKED = "not_checked"


class Mark(StrEnum):
    """Said beside a verdict; it never replaces it."""

    WAIVED = "waived"
    PENDING = "pending"


class Severity(StrEnum):
    """How much a failure of the control matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Risk(StrEnum):
    """What applying a control can break."""

    NONE = "none"
    SERVICE = "service"
    LOCKOUT = "lockout"
    REBOOT = "reboot"


@dataclass(frozen=True)
class StateFinding:
    """The judgement of one desired state: what was wanted and what was there, as text."""

    kind: str
    verdict: Verdict
    expected: str = ""
    observed: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """Per (host, control): the worst of its states."""

    host: str
    control: str
    verdict: Verdict
    severity: Severity
    states: tuple[StateFinding, ...] = ()
    marks: frozenset[Mark] = frozenset()

    @property
    def expected(self) -> str:
        """Return what the first state with the finding's own verdict wanted."""
        return next((s.expected for s in self.states if s.verdict is self.verdict), "")

    @property
    def observed(self) -> str:
        """Return what the first state with the finding's own verdict had (or why it has none)."""
        return next((s.observed or s.detail for s in self.states if s.verdict is self.verdict), "")


class Reach(StrEnum):
    """How far a host could be worked with."""

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True)
class HostAudit:
    """The outcome of auditing one host.

    ``failure`` is the plain reason where ``reach`` is not ``ANSWERED``; then there are no findings.
    ``facts`` are what the host says of itself (untrusted strings), ``raw`` its answer as it came.
    """

    host: str
    reach: Reach
    findings: tuple[Finding, ...] = ()
    failure: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes = b""
    seconds: float = 0.0

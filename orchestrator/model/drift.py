"""What changed between two audits of a host."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.model.finding import Severity, Verdict


class DriftEvent(StrEnum):
    """What happened to a (host, control) since the audit before."""

    OPENED = "opened"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    NOT_CHECKED = "not_checked"


class Cause(StrEnum):
    """Where the difference comes from."""

    HOST = "host"
    BASELINE = "baseline"
    WAIVER = "waiver"
    TOOL = "tool"


@dataclass(frozen=True)
class Drift:
    """One transition of one control on one host; times are UTC."""

    host: str
    control: str
    event: DriftEvent
    cause: Cause
    severity: Severity
    before: Verdict | None
    after: Verdict
    expected: str
    observed: str
    at: datetime
    run: str

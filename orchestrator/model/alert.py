"""Alerts: what hosts saw that somebody must look at, such as malware, a ban or a new account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.model.finding import Severity


class AlertKind(StrEnum):
    """What was seen."""

    MALWARE = "malware"
    LOGIN = "login"
    SUDO = "sudo"
    ACCOUNT = "account"
    BAN = "ban"
    AUDIT = "audit"
    INTEGRITY = "integrity"


OF_INTRUSION = frozenset(AlertKind) - {AlertKind.MALWARE}


@dataclass(frozen=True)
class Alert:
    """One thing that was seen on a host.

    ``identity`` is the same whenever the same event is told again, and differs between events of
    one host. ``at`` is when it happened by the host's clock, ``source`` the program that saw it,
    ``summary`` one line of text, ``details`` the rest.
    """

    host: str
    identity: str
    kind: AlertKind
    severity: Severity
    at: datetime
    source: str
    summary: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class KeptAlert:
    """An alert in the store: its number, when it came here, who looked at it and what they said."""

    number: int
    alert: Alert
    told: datetime
    seen_by: str = ""
    seen_at: datetime | None = None
    remark: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody has looked at it."""
        return self.seen_at is None


def document(kept: KeptAlert) -> dict[str, Any]:
    """Return a kept alert as plain data."""
    alert = kept.alert
    return {
        "number": kept.number,
        **vars(alert),
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "at": alert.at.isoformat(),
        "details": dict(alert.details),
        "told": kept.told.isoformat(),
        "seen_by": kept.seen_by,
        "seen_at": kept.seen_at.isoformat() if kept.seen_at else None,
        "remark": kept.remark,
    }

"""What vaults raise the alarm for: somebody must look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Alarm(StrEnum):
    """What a vault, or the host of a second copy, raises the alarm for."""

    DELETION = "deletion"
    DAMAGED = "damaged"
    JUNK = "junk"
    CHECK = "check"
    RETENTION = "retention"
    FULL = "full"
    CARE = "care"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    COPY = "copy"
    COPY_OLD = "copy_old"


@dataclass(frozen=True)
class VaultAlert:
    """One thing to look at: on which vault, of which client (empty: of all), in which words.

    Of a second copy, ``vault`` is the host that keeps it, ``client`` the vault.
    """

    vault: str
    client: str
    alert: Alarm
    detail: str = ""
    number: int = 0
    at: datetime | None = None


def document(one: VaultAlert) -> dict[str, Any]:
    """Return an alert as plain data."""
    return {**vars(one), "alert": one.alert.value, "at": one.at and one.at.isoformat()}


def alert_of(told: Mapping[str, Any]) -> VaultAlert:
    """Return the alert that :func:`document` made plain."""
    at = None if told["at"] is None else datetime.fromisoformat(told["at"])
    return VaultAlert(**{**told, "alert": Alarm(told["alert"]), "at": at})

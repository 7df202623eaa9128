"""Waivers: accepted failures, each bound to the values that were accepted."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from orchestrator.model.errors import Position

# A waiver that lasts longer is a change of the baseline, and belongs there.
LONGEST = timedelta(days=366)
# So long before its end a waiver is told to end.
NOTICE = timedelta(days=14)


class WaiverState(StrEnum):
    """Whether a waiver counts: ``ACTIVE`` and ``ENDING`` do, ``EXPIRED`` and ``ENDED`` do not."""

    ACTIVE = "active"
    ENDING = "ending"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True)
class Accepted:
    """What was accepted on which hosts: the failing states' values, as ``accepted_values`` says."""

    hosts: tuple[str, ...]
    observed: tuple[str, ...]


@dataclass(frozen=True)
class Waiver:
    """An accepted failure of one control on some hosts.

    It counts up to the day ``until``, that day included (the controller's local time), unless it
    was ``ended`` before. ``limit`` is the host pattern as it was given; what counts is
    ``accepted``. ``by`` and ``ended_by`` are operators.
    """

    id: str
    control: str
    reason: str
    approver: str
    added: date
    by: str
    until: date
    accepted: tuple[Accepted, ...]
    limit: str = ""
    ended: date | None = None
    ended_by: str = ""
    position: Position | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts, in the order of the file."""
        return tuple(host for part in self.accepted for host in part.hosts)

    def state(self, today: date) -> WaiverState:
        """Return whether the waiver counts on a day."""
        if self.ended is not None:
            return WaiverState.ENDED
        if today > self.until:
            return WaiverState.EXPIRED
        ending = self.until - today < NOTICE
        return WaiverState.ENDING if ending else WaiverState.ACTIVE

    def counts(self, today: date) -> bool:
        """Tell whether the waiver counts on a day."""
        return self.state(today) in (WaiverState.ACTIVE, WaiverState.ENDING)

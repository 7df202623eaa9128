"""Whether what a server holds could be brought back: judged before it is changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.model.backup import Backup
from orchestrator.model.drill import Drill, DrillState

# The inventory variable that says why nobody asks for a server's backups.
WAIVED = "luytre_backup_waived"
_AHEAD = timedelta(hours=1)


@dataclass(frozen=True)
class Gate:
    """What a server must have before it is changed: how old its backup and its drill may be."""

    backup_hours: int = 26
    drill_days: int = 90


USUAL = Gate()


class Lack(StrEnum):
    """What keeps a server from being called protected."""

    NO_BACKUP = "no_backup"
    OLD_BACKUP = "old_backup"
    NO_DRILL = "no_drill"
    OLD_DRILL = "old_drill"
    FAILED_DRILL = "failed_drill"


BACKUP_LACKS = frozenset({Lack.NO_BACKUP, Lack.OLD_BACKUP})


@dataclass(frozen=True)
class Protection:
    """A server's newest whole backup, and the newest of its drills that proves anything.

    ``waived`` is why nobody asks for either; empty where they are asked for.
    """

    host: str
    backup: Backup | None = None
    drill: Drill | None = None
    waived: str = ""

    def lacks(self, gate: Gate, now: datetime) -> tuple[Lack, ...]:
        """Return what is wanting at a moment, whether or not that is waived."""
        return tuple(
            lack for lack in (self._of_backup(gate, now), self._of_drill(gate, now)) if lack
        )

    def _of_backup(self, gate: Gate, now: datetime) -> Lack | None:
        if self.backup is None or self.backup.started is None:
            return Lack.NO_BACKUP
        # A clock that was ahead would call it young for years.
        young = now - timedelta(hours=gate.backup_hours) <= self.backup.started <= now + _AHEAD
        return None if young else Lack.OLD_BACKUP

    def _of_drill(self, gate: Gate, now: datetime) -> Lack | None:
        if self.drill is None:
            return Lack.NO_DRILL
        if self.drill.state is not DrillState.PASSED:
            return Lack.FAILED_DRILL
        old = self.drill.started < now - timedelta(days=gate.drill_days)
        return Lack.OLD_DRILL if old else None


def protections(
    waived: Iterable[tuple[str, str]], backups: Iterable[Backup], drills: Iterable[Drill]
) -> list[Protection]:
    """Return how servers are protected, of (name, why it is waived), in that order."""
    backup_of = {one.host: one for one in backups}
    drill_of = {one.host: one for one in drills}
    return [Protection(host, backup_of.get(host), drill_of.get(host), why) for host, why in waived]

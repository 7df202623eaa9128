"""Drills as the controller knows them: what was restored elsewhere, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class DrillWish:
    """Where a server's backups are restored for a drill, and what must run there afterwards.

    ``scratch`` is a name of the inventory; ``packages`` are installed there; ``units`` are started,
    and the server's own health ``checks`` are asked.
    """

    scratch: str
    packages: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()


class DrillState(StrEnum):
    """How a drill ended; ``undone`` proves nothing, for or against the backup."""

    PASSED = "passed"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True)
class LoadedDatabase:
    """A dump that was loaded into a real server, and what that said of it."""

    part: str
    tables: int
    rows: int
    version: str


@dataclass(frozen=True)
class Drill:
    """What came of restoring one server's newest backup on a scratch host.

    ``backup`` is the run of that backup. ``rpo`` is how old it was, ``rto`` how long it took until
    everything was there and answered (seconds). ``whole`` is false where only the sample and the
    dumps were brought back. ``problems`` are (part, why). ``unreached`` says that the scratch host,
    or the vault, was not there, ``asked`` which health checks answered; neither is kept.
    """

    host: str
    run: str
    scratch: str
    state: DrillState
    started: datetime
    backup: str = ""
    whole: bool = True
    rpo: float | None = None
    rto: float | None = None
    files: int = 0
    size: int = 0
    databases: tuple[LoadedDatabase, ...] = ()
    answered: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    unreached: bool = False
    asked: tuple[str, ...] = ()


def document(drill: Drill) -> dict[str, Any]:
    """Return a drill as plain data."""
    return {
        **vars(drill),
        "state": drill.state.value,
        "started": drill.started.isoformat(),
        "databases": [vars(one) for one in drill.databases],
        "answered": list(drill.answered),
        "asked": list(drill.asked),
        "problems": [{"part": part, "why": why} for part, why in drill.problems],
    }

"""What a server's watch says of itself beside its events: how it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

# In place of a run, where a set-up of ours left a file as it is.
SET_UP = "setup"


class Lack(StrEnum):
    """What keeps a server from being watched as it should be; the words are the views'."""

    NEVER = "never"
    UNASKED = "unasked"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    PROBLEM = "problem"
    NO_FAIL2BAN = "no_fail2ban"
    BASTION = "bastion"
    NO_DATABASE = "no_database"
    DATABASE = "database"
    NOT_TAKEN = "not_taken"
    OTHER_KEEPER = "other_keeper"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True)
class FileChange:
    """One file that differs from the accepted database.

    ``change`` is added, removed or changed; ``state`` tells one way in which it may stand there
    from every other; ``run`` names the run of ours that left the file so, empty for none.
    """

    path: str
    change: str
    detail: str
    state: str
    run: str = ""


def not_ours(changes: Iterable[FileChange]) -> list[FileChange]:
    """Return the changes that no run of ours explains."""
    return [one for one in changes if not one.run]


class Keeper(NamedTuple):
    """The workspace that gave a host its accepted database: its id, and a name for people."""

    id: str = ""
    name: str = ""


NOBODY = Keeper()


@dataclass(frozen=True)
class Integrity:
    """The AIDE of a host: the digest of the accepted database as it lies there, the newest look.

    ``compared`` is the digest of the database that this look was compared with, empty where there
    was none; ``keeper`` is who gave it to the host, as the host says.
    """

    database: str
    looked: datetime | None = None
    compared: str = ""
    problem: str = ""
    changes: tuple[FileChange, ...] = ()
    total: int = 0
    keeper: Keeper = NOBODY


@dataclass(frozen=True)
class Sighting:
    """One event of a host: ``what`` is our word for it, ``details`` are the host's texts."""

    identity: str
    what: str
    at: datetime
    details: Mapping[str, str]


@dataclass(frozen=True)
class Watch:
    """What one host said of its watch: its record, its newest number, events, how it stands.

    ``missing`` counts the events that it has numbers for and did not tell. ``came`` is the address
    that it was asked from, as it saw it; empty where it does not say.
    """

    host: str
    birth: str
    at: datetime
    last: int
    dropped: int
    events: tuple[Sighting, ...]
    problems: tuple[str, ...]
    fail2ban: str
    ignored: tuple[str, ...]
    banned: int
    integrity: Integrity
    more: bool = False
    missing: int = 0
    came: str = ""


@dataclass(frozen=True)
class WatchStanding:
    """How a host is watched, as it was when it was asked last: what is wanting, and why.

    ``looked`` is the newest look that was compared with the accepted files, None where none was.
    ``differ`` counts the files that no run of ours explains, whether somebody saw that or not.
    """

    host: str
    at: datetime | None
    lacks: Mapping[Lack, str] = field(default_factory=dict)
    banned: int = 0
    looked: datetime | None = None
    differ: int = 0


def standing_document(standing: WatchStanding) -> dict[str, Any]:
    """Return a standing as plain data."""
    return {
        "host": standing.host,
        "at": standing.at.isoformat() if standing.at else None,
        "lacks": {lack.value: why for lack, why in standing.lacks.items()},
        "banned": standing.banned,
        "looked": standing.looked.isoformat() if standing.looked else None,
        "differ": standing.differ,
    }


def standing_of(host: str, answer: Mapping[str, Any]) -> WatchStanding:
    """Return the standing in what the store keeps of a host's watch: empty where it keeps none.

    It is kept as ``standing``, as :func:`standing_document` wrote it.
    """
    told = answer.get("standing", {})
    at, looked = told.get("at"), told.get("looked")
    return WatchStanding(
        host,
        datetime.fromisoformat(at) if at else None,
        {Lack(lack): str(why) for lack, why in told.get("lacks", {}).items()},
        int(told.get("banned", 0)),
        datetime.fromisoformat(looked) if looked else None,
        int(told.get("differ", 0)),
    )

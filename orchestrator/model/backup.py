"""Backups as the controller knows them: what is wanted, what came of a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from orchestrator.model.drill import DrillWish

# The inventory variable by which a server is backed up at all: where to.
VAULT_VARIABLE = "luytre_backup_vault"
# The vault's own sshd, apart from the one by which it is managed.
DEFAULT_PORT = 8022
DEFAULT_TIME = "01:30"


@dataclass(frozen=True)
class BackupWish:
    """What is to be backed up of one host, and where to: ``vault`` is a name of the inventory.

    Each of ``databases`` maps an engine (postgresql, mariadb, sqlite) to a name, ``*`` for all.
    ``time`` is the host's local time of day; ``drill`` is None where nobody said where to restore.
    """

    host: str
    vault: str
    address: str
    port: int
    paths: tuple[str, ...]
    excludes: tuple[str, ...]
    databases: tuple[Mapping[str, str], ...]
    time: str
    drill: DrillWish | None = None


class BackupState(StrEnum):
    """How a backup ended: only ``complete`` is a backup of everything that was wanted.

    ``unreachable`` is the host, or from it the vault; ``busy`` where another backup went on, so
    that there was none.
    """

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    BUSY = "busy"


# Which results there is something to restore from; all of it, of the first.
WHOLE = frozenset({BackupState.COMPLETE})
RESTORABLE = WHOLE | {BackupState.PARTIAL}


@dataclass(frozen=True)
class Snapshot:
    """One part of a backup in the vault: the files, or one database's dump.

    ``size`` is what it holds, ``added`` what it made the repository grow by (bytes). A dump has the
    SHA-256 of its stream, the version of the server that wrote it, and its path in the snapshot
    (empty for one that was made before they were told).
    """

    part: str
    id: str
    size: int
    added: int
    sha256: str = ""
    version: str = ""
    place: str = ""


@dataclass(frozen=True)
class Sampled:
    """One file as it was hashed on its host while it was backed up."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Backup:
    """What came of backing up one host; ``problems`` are (part, why).

    ``changed`` is how many files of the sample changed meanwhile, so that they prove nothing.
    """

    host: str
    run: str
    state: BackupState
    started: datetime | None = None
    ended: datetime | None = None
    snapshots: tuple[Snapshot, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    sample: tuple[Sampled, ...] = field(default=(), repr=False)
    changed: int = 0

    @property
    def size(self) -> int:
        """Return how many bytes all of its parts hold."""
        return sum(snapshot.size for snapshot in self.snapshots)

    @property
    def added(self) -> int:
        """Return by how many bytes the vault grew."""
        return sum(snapshot.added for snapshot in self.snapshots)


@dataclass(frozen=True)
class Progress:
    """How far one host is: bytes done of all (0 where nobody knows) of one part."""

    host: str
    part: str
    done: int
    total: int


def wish_digest(variables: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a host's variables want backed up, and where to.

    A host keeps it when it is set up, and its results tell it.
    """
    named = ("paths", "excludes", "databases")
    lists = [variables.get(f"luytre_backup_{name}", ()) for name in named]
    wanted = [variables.get(VAULT_VARIABLE), *(sorted(map(_canonical, one)) for one in lists)]
    return sha256(_canonical(wanted).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def document(backup: Backup) -> dict[str, Any]:
    """Return a backup as plain data, without its sample."""
    return {
        "host": backup.host,
        "run": backup.run,
        "state": backup.state.value,
        "started": _iso(backup.started),
        "ended": _iso(backup.ended),
        "snapshots": [vars(snapshot) for snapshot in backup.snapshots],
        "problems": [{"part": part, "why": why} for part, why in backup.problems],
        "sampled": len(backup.sample),
        "changed_meanwhile": backup.changed,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

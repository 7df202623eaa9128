"""The sealed list for the safe: what opens every repository, and the proof that it does."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.backup import BackupWish
from orchestrator.model.errors import (
    ConfigurationError,
    ControllerError,
    HostError,
    Position,
)
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.host_program import call
from orchestrator.protect.on_host.vault import repository
from orchestrator.store.sealed import SealedReader, SealedWriter
from orchestrator.workspace.new_file import new_file, require_free

FORMAT = 1
_PIECE = 64 * 1024
# restic makes a key of a password in a second.
_PROVE_SECONDS = 30.0


@dataclass(frozen=True)
class Entry:
    """What opens one host's repository: its vault, where it lies there, the password."""

    host: str
    vault: str
    address: str
    repository: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Escrow:
    """A sealed list: when it was written, by whom, what is in it."""

    written: str
    operator: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Proof:
    """Whether one entry opens its repository today; ``why`` is empty where it does."""

    host: str
    why: str = ""


def entries_of(wishes: Sequence[BackupWish], passwords: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return what opens the repositories of some hosts.

    Raises ConfigurationError where one of them has no password: it was never set up.
    """
    missing = sorted(wish.host for wish in wishes if wish.host not in passwords)
    if missing:
        message = _("never set up: {names}").format(names=", ".join(missing))
        raise ConfigurationError(message, hint="luytre backup setup")
    return tuple(
        Entry(
            wish.host,
            wish.vault,
            wish.address,
            repository(wish.host),
            passwords[wish.host],
        )
        for wish in wishes
    )


def write(path: Path, entries: Sequence[Entry], operator: str, passphrase: str) -> None:
    """Seal the list into a new file; raises ConfigurationError, ControllerError."""
    require_free(path)
    told = {
        "format": FORMAT,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "operator": operator,
        "entries": [asdict(entry) for entry in entries],
    }
    try:
        with new_file(path) as file:
            writer = SealedWriter(file, passphrase)
            writer.write(json.dumps(told, indent=1).encode())
            writer.close()
    except OSError as error:
        message = _("the list could not be written: {reason}")
        raise ControllerError(message.format(reason=error.strerror)) from error


def read(path: Path, passphrase: str) -> Escrow:
    """Open a sealed list. Raises ConfigurationError, ControllerError as SealedReader does."""
    whole = bytearray()
    try:
        with path.open("rb") as file:
            reader = SealedReader(file, passphrase)
            for piece in iter(lambda: reader.read(_PIECE), b""):
                whole += piece
        told = json.loads(whole)
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        entries = tuple(Entry(**entry) for entry in told["entries"])
        return Escrow(told["written"], told["operator"], entries)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, position=Position(str(path)), hint=error.hint
        ) from error
    except OSError as error:
        raise ConfigurationError(
            error.strerror or str(error), position=Position(str(path))
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            _("is not a list of backup passwords"), position=Position(str(path))
        ) from error


def prove(
    fleet: Fleet,
    every: Mapping[str, ManagedHost],
    entries: Sequence[Entry],
    on_done: Callable[[str], None] = lambda _host: None,
) -> list[Proof]:
    """Let every vault open the repositories with the passwords of the list, and nothing else."""
    by_vault: dict[str, list[Entry]] = {}
    for entry in entries:
        by_vault.setdefault(entry.vault, []).append(entry)
    gone = [name for name in by_vault if name not in every]
    lost = {
        entry.host: _("its vault {vault} is no managed server any more").format(vault=name)
        for name in gone
        for entry in by_vault[name]
    }

    def work(vault: ManagedHost) -> Mapping[str, str]:
        asked = [{"client": e.host, "password": e.password} for e in by_vault[vault.name]]
        with fleet.login(vault) as login:
            seconds = _PROVE_SECONDS * (1 + len(asked))
            said = call(login, "prove", stdin=asked, seconds=seconds)
        return _told(vault.name, said)

    vaults = [every[name] for name in by_vault if name in every]
    results = over_hosts(vaults, work, fleet.concurrency, lambda host, _r: on_done(host.name))
    for vault, result in zip(vaults, results, strict=True):
        for entry in by_vault[vault.name]:
            if isinstance(result, HostError):
                lost[entry.host] = f"{vault.name}: {result.message}"
            else:
                lost[entry.host] = result.get(entry.host, _("its vault said nothing of it"))
    return [Proof(entry.host, lost[entry.host]) for entry in entries]


def different(entries: Sequence[Entry], passwords: Mapping[str, str]) -> list[str]:
    """Return the hosts whose password is not in the list, or another one by now."""
    listed = {entry.host: entry.password for entry in entries}
    return sorted(host for host in passwords if listed.get(host) != passwords[host])


def _told(vault: str, said: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    with well_formed(vault):
        return {text(one["client"]): text(one["why"]) for one in said}

"""The mirror of signatures: hand it files, and see what it serves."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.antivirus import SignatureDatabase
from orchestrator.model.errors import ConfigurationError, HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.antivirus import told
from orchestrator.protect.antivirus.program import ask_program
from orchestrator.protect.going_on import going_on
from orchestrator.protect.told import count

OFFICIAL = ("main.cvd", "daily.cvd", "bytecode.cvd")
# By their suffix, files are our own: the mirror gives them their names.
OWN_SUFFIXES = (".hdb", ".ndb", ".yar")
# Every file is loaded by ClamAV, and then all of them together (seconds).
_SECONDS = 3600.0
_LARGEST = 1 << 30


@dataclass(frozen=True)
class Served:
    """What one mirror serves, and why it refused what it was handed (empty: it did not).

    ``counts`` are how many signatures each database of our own held before, and holds now.
    ``unreadable`` tells of the databases that are damaged.
    """

    host: str
    databases: tuple[SignatureDatabase, ...]
    unreadable: tuple[str, ...]
    counts: Mapping[str, tuple[int, int]]
    problem: str = ""


def pack(files: Sequence[Path]) -> bytes:
    """Return the files as the mirror takes them; raises ConfigurationError for any other file."""
    packed = io.BytesIO()
    names: dict[str, Path] = {}
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in files:
            name = _published_name(file)
            if name in names:
                message = _("{one} and {other} would both be {name}: put them together in one file")
                told_ = message.format(one=names[name], other=file, name=name)
                raise ConfigurationError(told_)
            names[name] = file
            try:
                content = file.read_bytes()
            except OSError as problem:
                raise ConfigurationError(f"{file}: {problem.strerror}") from problem
            if len(content) > _LARGEST:
                raise ConfigurationError(_("{file}: too large").format(file=file))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def publish(
    fleet: Fleet, mirrors: Sequence[ManagedHost], packed: bytes, *, replace: bool = False
) -> list[Served | HostError]:
    """Let mirrors check and publish packed files; each keeps what it has where it refuses one.

    It refuses a file of our own that lacks signatures which it serves, unless it is to ``replace``
    them.
    """
    return _asked(fleet, mirrors, "replace" if replace else "publish", packed)


def served(fleet: Fleet, mirrors: Sequence[ManagedHost]) -> list[Served | HostError]:
    """Return what mirrors serve."""
    return _asked(fleet, mirrors, "mirror", b"")


def _asked(
    fleet: Fleet, mirrors: Sequence[ManagedHost], verb: str, stdin: bytes
) -> list[Served | HostError]:
    begun: set[str] = set()

    def work(host: ManagedHost) -> Served:
        with fleet.login(host) as login:
            begun.add(host.name)
            (said,) = ask_program(login, verb, stdin=stdin, seconds=_SECONDS)
        return _served(host.name, said)

    try:
        return over_hosts(mirrors, work, fleet.concurrency)
    except Interrupted as error:
        names = sorted(begun) if stdin else []
        message = _("interrupted here; these mirrors may publish all the same: {names}")
        hint = _("luytre antivirus mirror status shows what they serve")
        raise going_on(error, names, message, hint) from error


def _served(host: str, said: Mapping[str, Any]) -> Served:
    with well_formed(host):
        databases = tuple(told.database(one) for one in records(said["databases"]))
        before, now = said["before"], said["counts"]
        counts = {text(name): (count(before.get(name, 0)), count(now[name])) for name in now}
        return Served(host, databases, texts(said["unreadable"]), counts, text(said["problem"]))


def _published_name(file: Path) -> str:
    if file.name in OFFICIAL:
        return file.name
    if file.suffix in OWN_SUFFIXES:
        return f"luytre-own{file.suffix}"
    known = ", ".join([*OFFICIAL, *(f"NAME{suffix}" for suffix in OWN_SUFFIXES)])
    message = _("{file} is no database that the mirror serves")
    raise ConfigurationError(message.format(file=file), hint=known)

"""The mirror of signatures: hand it files, and see what it serves."""

import dataclasses
import io
import re
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.antivirus import SignatureDatabase
from orchestrator.model.errors import ConfigurationError, HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.antivirus import told
from orchestrator.protect.antivirus.program import ask_program
from orchestrator.protect.antivirus.wish import mirror_place
from orchestrator.protect.going_on import going_on
from orchestrator.protect.on_host.antivirus.publishing import ROOT
from orchestrator.protect.told import count

OFFICIAL = ("main.cvd", "daily.cvd", "bytecode.cvd")
# By their suffix, files are our own: the mirror gives them their names.
OWN_SUFFIXES = (".hdb", ".ndb", ".yar")
# Every file is loaded by ClamAV, and then all of them together (seconds).
_SECONDS = 3600.0
_LARGEST = 1 << 30


@dataclasses.dataclass(frozen=True)
class Served:
    """What one mirror serves, and why it refused what it was handed (empty: it did not).

    ``counts`` are how many signatures each database of our own held before, and holds now.
    ``unreadable`` tells of the databases that are damaged, ``unanswered`` why clients would not get
    them over HTTP.
    """

    host: str
    databases: tuple[SignatureDatabase, ...]
    unreadable: tuple[str, ...]
    counts: Mapping[str, tuple[int, int]]
    problem: str = ""
    unanswered: str = ""

    @property
    def empty(self) -> bool:
        """Whether it serves no signature yet: no official file, and our own without any."""
        official = any(not one.own for one in self.databases)
        return not official and not any(now for _before, now in self.counts.values())


class Packed(NamedTuple):
    """Files as the mirror takes them, and where the operator has each, by its name there."""

    content: bytes
    files: Mapping[str, Path]

    def named(self, problem: str) -> str:
        """Return what the mirror says of these files, with the names that the operator knows."""
        if not self.files:
            return problem
        names = "|".join(map(re.escape, self.files))
        theirs = rf"(?<![\w./-])(?:{re.escape(ROOT)}/[^/\s]+/)?({names})(?![\w-])"
        return re.sub(theirs, lambda found: str(self.files[found[1]]), problem)


_NOTHING = Packed(b"", {})


def pack(files: Sequence[Path]) -> Packed:
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
    return Packed(packed.getvalue(), names)


def publish(
    fleet: Fleet,
    mirrors: Sequence[ManagedHost],
    packed: Packed,
    on_done: Callable[[Served | HostError], None],
    *,
    replace: bool = False,
) -> list[Served | HostError]:
    """Let mirrors check and publish packed files; each keeps what it has where it refuses one.

    It refuses a file of our own that lacks signatures which it serves, unless it is to ``replace``
    them. ``on_done`` is told each result in this thread. Raises Interrupted on Ctrl-C, with what
    goes on.
    """
    return _asked(fleet, mirrors, "replace" if replace else "publish", packed, on_done)


def served(fleet: Fleet, mirrors: Sequence[ManagedHost]) -> list[Served | HostError]:
    """Return what mirrors serve."""
    return _asked(fleet, mirrors, "mirror", _NOTHING, lambda _one: None)


def _asked(
    fleet: Fleet,
    mirrors: Sequence[ManagedHost],
    verb: str,
    packed: Packed,
    on_done: Callable[[Served | HostError], None],
) -> list[Served | HostError]:
    begun: set[str] = set()
    urls = {host.name: mirror_place(host).url for host in mirrors}

    def work(host: ManagedHost) -> Served:
        with fleet.login(host) as login:
            begun.add(host.name)
            (said,) = ask_program(
                login, verb, urls[host.name], stdin=packed.content, seconds=_SECONDS
            )
        one = told_by(host.name, said)
        return dataclasses.replace(one, problem=packed.named(one.problem))

    try:
        return over_hosts(mirrors, work, fleet.concurrency, lambda _host, one: on_done(one))
    except Interrupted as error:
        names = sorted(begun) if packed.files else []
        message = _("interrupted here; these mirrors may publish all the same: {names}")
        hint = _("luytre antivirus mirror status shows what they serve")
        raise going_on(error, names, message, hint) from error


def told_by(host: str, said: Mapping[str, Any]) -> Served:
    """Return what a mirror says of itself; raises AgentError where it is malformed."""
    with well_formed(host):
        databases = tuple(told.database(one) for one in records(said["databases"]))
        before, now = said["before"], said["counts"]
        counts = {text(name): (count(before.get(name, 0)), count(now[name])) for name in now}
        unreadable, problem = texts(said["unreadable"]), text(said["problem"])
        return Served(host, databases, unreadable, counts, problem, text(said["unanswered"]))


def _published_name(file: Path) -> str:
    if file.name in OFFICIAL:
        return file.name
    if file.suffix in OWN_SUFFIXES:
        return f"luytre-own{file.suffix}"
    known = ", ".join([*OFFICIAL, *(f"NAME{suffix}" for suffix in OWN_SUFFIXES)])
    message = _("{file} is no database that the mirror serves")
    raise ConfigurationError(message.format(file=file), hint=known)

"""Databases of AIDE: fetched, compared here with the accepted one, accepted for a reason."""

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.connection import Login
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import well_formed
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.text import visible
from orchestrator.model.watch import NOBODY, FileChange, Keeper
from orchestrator.protect.intrusion import told
from orchestrator.protect.intrusion.databases import Accepted, Databases
from orchestrator.protect.intrusion.host import ask
from orchestrator.protect.intrusion.leaving import Left
from orchestrator.protect.on_host.watching.entries import changes

# A large server reads for an hour; with the limits of its timer it would be half a day.
LONGEST_LOOK = 4 * 3600.0
_SECONDS = 300.0
# The database of some two million files, packed.
_MOST_SAID = 128 * 1024 * 1024


@dataclass(frozen=True)
class Look:
    """Every file of a host, as AIDE saw it at ``looked``: the database, and how it differs.

    ``changes`` is None where no database was accepted before. The database is ``packed``: those of
    three hundred hosts would fill this machine. ``keeper`` gave the host the one that it compares
    with.
    """

    host: str
    looked: datetime
    digest: str
    packed: bytes
    changes: tuple[FileChange, ...] | None
    keeper: Keeper = NOBODY


def look(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    databases: Databases,
    left: Mapping[str, Left],
    *,
    now: bool = True,
) -> list["Look | HostError"]:
    """Let hosts look at every file (or, not ``now``, tell their newest look); compare here.

    Nothing of the comparison is the host's own: ``left`` is what it said of its files as runs of
    ours ended. Raises ControllerError, Interrupted.
    """
    accepted = databases.accepted()

    def work(host: ManagedHost) -> Look:
        with fleet.login(host) as login:
            if now:
                ask(login, "look", seconds=LONGEST_LOOK)
            said = ask(login, "newest", seconds=_SECONDS, most=_MOST_SAID)
        whole = told.database(host.name, said)
        with well_formed(host.name):
            standing = told.integrity(said)
            if standing.looked is None:
                raise ValueError("it has never looked")
        looked = min(standing.looked, datetime.now(UTC))
        packed = zlib.compress(whole)
        one = Look(host.name, looked, _digest(whole), packed, None, standing.keeper)
        if host.name not in accepted:
            return one
        before = databases.content(accepted[host.name].digest)
        found = _compared(host.name, before, whole)
        return replace(one, changes=left.get(host.name, Left()).attributed(found, looked))

    return over_hosts(hosts, work, fleet.concurrency)


def accept(
    fleet: Fleet,
    hosts: Mapping[str, ManagedHost],
    looks: Sequence[Look],
    databases: Databases,
    why: tuple[str, str],
) -> dict[str, HostError]:
    """Let databases count, here and on their hosts; return which hosts did not take theirs.

    ``why`` is who accepts them, and the reason. What counts here counts even so: a host that did
    not take its database is told of until it has.
    """
    for one in looks:
        databases.accept(one.host, one.packed, Accepted(one.digest, one.looked, *why))
    return put_back(fleet, [hosts[one.host] for one in looks], databases)


def put_back(
    fleet: Fleet, hosts: Sequence[ManagedHost], databases: Databases
) -> dict[str, HostError]:
    """Give hosts the databases that count, and let them compare; return what went wrong."""
    accepted, own = databases.accepted(), databases.keeper()

    def work(host: ManagedHost) -> None:
        with fleet.login(host) as login:
            _give(login, databases.content(accepted[host.name].digest), own)

    def note(host: ManagedHost, result: "HostError | None") -> None:
        if result is None:
            databases.took(host.name, accepted[host.name].digest)

    results = over_hosts(hosts, work, fleet.concurrency, note)
    return {one.host: one for one in results if isinstance(one, HostError)}


def _give(login: Login, database: bytes, own: Keeper) -> None:
    """Give one host the database that counts; raises AgentError where it has another one then."""
    packed = base64.b64encode(zlib.compress(database)).decode("ascii")
    asked = {"packed": packed, "keeper": own._asdict()}
    said = ask(login, "accept", stdin=asked, seconds=_SECONDS)
    with well_formed(login.endpoint.name):
        if told.integrity(said).database != _digest(database):
            raise ValueError("it kept another database than it was given")


def _compared(host: str, accepted: bytes, database: bytes) -> list[FileChange]:
    with well_formed(host):
        # It was made by the host: no other name in it than UTF-8 has.
        found = changes(accepted.decode("utf-8"), database.decode("utf-8"))
    return [FileChange(**{**one, "path": visible(one["path"])}) for one in found]


def _digest(database: bytes) -> str:
    return hashlib.sha256(database).hexdigest()

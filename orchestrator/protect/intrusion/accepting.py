"""Databases of AIDE: fetched, compared here with the accepted one, accepted for a reason."""

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.connection import Login
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import well_formed
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.watch import FileChange
from orchestrator.protect.intrusion import told
from orchestrator.protect.intrusion.databases import Accepted, Databases
from orchestrator.protect.intrusion.host import ask
from orchestrator.protect.on_host.watching.entries import changes

# A large server reads for an hour; with the limits of its timer it would be half a day.
LONGEST_LOOK = 4 * 3600.0
_SECONDS = 300.0


@dataclass(frozen=True)
class Look:
    """Every file of a host, as AIDE has just seen it: the database, and how it differs.

    ``changes`` is None where no database was accepted before.
    """

    host: str
    database: bytes
    changes: tuple[FileChange, ...] | None

    @property
    def digest(self) -> str:
        """Return the database's SHA-256."""
        return hashlib.sha256(self.database).hexdigest()


def look(
    fleet: Fleet, hosts: Sequence[ManagedHost], databases: Databases, *, now: bool = True
) -> list["Look | HostError"]:
    """Let hosts look at every file (or, not ``now``, tell their newest look); compare here.

    Nothing of the comparison is the host's own, but for the runs of ours that it names. Raises
    ControllerError, Interrupted.
    """
    accepted = databases.accepted()
    kept = {
        host.name: databases.content(accepted[host.name].digest)
        for host in hosts
        if host.name in accepted
    }

    def work(host: ManagedHost) -> Look:
        with fleet.login(host) as login:
            if now:
                ask(login, "look", seconds=LONGEST_LOOK)
            said = ask(login, "newest", seconds=_SECONDS)
        with well_formed(host.name):
            runs = {one.path: one.run for one in told.integrity(said).changes}
        return _compared(host.name, told.database(host.name, said), kept.get(host.name), runs)

    return over_hosts(hosts, work, fleet.concurrency)


def accept(
    fleet: Fleet,
    hosts: Mapping[str, ManagedHost],
    looks: Sequence[Look],
    databases: Databases,
    why: Accepted,
) -> dict[str, HostError]:
    """Let databases count, here and on their hosts; return which hosts did not take theirs.

    ``why`` says who accepts them, when and why. What counts here counts even so: a host that did
    not take its database is told of until it has.
    """
    for one in looks:
        accepted = Accepted(one.digest, why.at, why.operator, why.reason)
        databases.accept(one.host, one.database, accepted)
    return put_back(fleet, [hosts[one.host] for one in looks], databases)


def put_back(
    fleet: Fleet, hosts: Sequence[ManagedHost], databases: Databases
) -> dict[str, HostError]:
    """Give hosts the databases that count, and let them compare; return what went wrong."""
    accepted = databases.accepted()

    def work(host: ManagedHost) -> None:
        with fleet.login(host) as login:
            give(login, databases.content(accepted[host.name].digest))

    results = over_hosts(hosts, work, fleet.concurrency)
    return {one.host: one for one in results if isinstance(one, HostError)}


def give(login: Login, database: bytes) -> None:
    """Give one host the database that counts; raises AgentError where it has another one then."""
    packed = base64.b64encode(zlib.compress(database)).decode("ascii")
    said = ask(login, "accept", stdin={"packed": packed}, seconds=_SECONDS)
    with well_formed(login.endpoint.name):
        standing = told.integrity(said)
        if standing.database != hashlib.sha256(database).hexdigest():
            raise ValueError("it kept another database than it was given")


def _compared(host: str, database: bytes, accepted: bytes | None, runs: Mapping[str, str]) -> Look:
    with well_formed(host):
        # It was made by the host: no other name in it than UTF-8 has.
        text = database.decode("utf-8")
        found = changes(accepted.decode("utf-8") if accepted is not None else text, text)
    if accepted is None:
        return Look(host, database, None)
    told_ = tuple(FileChange(**one, run=runs.get(one["path"], "")) for one in found)
    return Look(host, database, told_)

"""The witnesses: heads of the audit log that runs left on the hosts they touched."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import known_runs, text, well_formed
from orchestrator.model.errors import ControllerError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.record import LogHead

if TYPE_CHECKING:
    from orchestrator.store.log import AuditLog

_MARK_BYTES = 8
_HASH_LENGTH = 64


@dataclass(frozen=True)
class HostWitness:
    """What one host has seen of our log; ``others`` counts what it saw of other controllers'."""

    host: str
    heads: tuple[LogHead, ...]
    others: int


def words(head: LogHead, key: bytes) -> str:
    """Return what a run leaves of the log's head: place, hash, and whose log it is.

    ``key`` is the workspace's digest key. It outlives a store that was brought back from a copy,
    so that the hosts can tell.
    """
    return f"{head.seq}:{head.hash}:{_mark(key)}"


def gather_witnesses(
    fleet: Fleet, hosts: Sequence[ManagedHost], key: bytes
) -> list[HostWitness | HostError]:
    """Ask hosts for the witnesses that runs left there, in the order given."""

    def work(host: ManagedHost) -> HostWitness:
        with fleet.login(host) as login:
            return witness_of(host.name, ask(login, {"operation": "status"}).result, key)

    return over_hosts(hosts, work, fleet.concurrency)


def witness_of(host: str, facts: Mapping[str, Any], key: bytes) -> HostWitness:
    """Return what a host's facts hold of our log; what is not ours, or no witness, is counted.

    Raises AgentError for facts that tell no runs.
    """
    known = known_runs(host, facts)
    with well_formed(host):
        told = [text(item["witness"] or "") for item in known]
    ours = [_head(words, _mark(key)) for words in told]
    heads = tuple(sorted({head for head in ours if head is not None}, key=lambda head: head.seq))
    return HostWitness(host, heads, sum(head is None for head in ours))


def verify(log: "AuditLog", witnesses: Sequence[HostWitness]) -> LogHead:
    """Check the log's chain, and the chain against what hosts have seen; return the head.

    Raises ControllerError that names the first bad entry, or the hosts that saw another log.
    """
    log.verify()
    try:
        return log.verify([head for one in witnesses for head in one.heads])
    except ControllerError:
        raise _belied(log, witnesses) from None


def _belied(log: "AuditLog", witnesses: Sequence[HostWitness]) -> ControllerError:
    """Return the error that names the hosts which saw another log, each with what it saw."""
    against: dict[str, list[str]] = defaultdict(list)
    for one in witnesses:
        try:
            log.verify(one.heads)
        except ControllerError as problem:
            against[problem.message].append(one.host)
    told = "; ".join(f"{', '.join(sorted(hosts))}: {why}" for why, hosts in sorted(against.items()))
    message = _("the audit log is not the one that was seen by {told}").format(told=told)
    hint = _("was the store brought back from an older copy, or altered?")
    return ControllerError(message, hint=hint)


def _mark(key: bytes) -> str:
    return blake2b(b"luytre audit log", digest_size=_MARK_BYTES, key=key).hexdigest()


def _head(told: str, mark: str) -> LogHead | None:
    seq, _colon, rest = told.partition(":")
    digest, _colon, whose = rest.partition(":")
    ours = whose == mark and seq.isdecimal() and seq.isascii() and len(digest) == _HASH_LENGTH
    return LogHead(int(seq), digest) if ours and len(seq) < _HASH_LENGTH else None

"""Restore a part of a host's backup on that host, into a directory of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.errors import AgentError, HostError, HostRefusedError
from orchestrator.model.host import ManagedHost
from orchestrator.protect import told
from orchestrator.protect.host_program import LONGEST, call
from orchestrator.protect.told import count


@dataclass(frozen=True)
class RestoreWish:
    """What to bring back: a part of a snapshot (or ``latest``), some paths or all, and where to."""

    part: str
    snapshot: str
    paths: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Restored:
    """What was restored on a host: from which snapshot, how many files and bytes."""

    host: str
    snapshot: str
    files: int
    size: int


def restore_on(
    fleet: Fleet, hosts: Sequence[ManagedHost], wish: RestoreWish
) -> list[Restored | HostError]:
    """Restore on every host its own backup; results in the hosts' order.

    A target that is there and not empty is that host's HostRefusedError; a vault that it does not
    reach, its UnreachableError.
    """
    asked = {
        "part": wish.part,
        "snapshot": wish.snapshot,
        "paths": list(wish.paths),
        "target": wish.target,
    }

    def work(host: ManagedHost) -> Restored:
        with fleet.login(host) as login:
            (said,) = call(login, "restore", stdin=asked, seconds=LONGEST)
        told.reached(host.name, said)
        with well_formed(host.name):
            if said["state"] == "refused":
                raise HostRefusedError(host.name, text(said["why"]))
            if said["state"] != "restored":
                raise AgentError(host.name, text(said["why"]))
            files, size = count(said["files"]), count(said["bytes"])
            return Restored(host.name, text(said["snapshot"]), files, size)

    return over_hosts(hosts, work, fleet.concurrency)

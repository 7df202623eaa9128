"""Restore a part of a host's backup on that host, into a directory of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.errors import AgentError, HostError, HostRefusedError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.going_on import going_on
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
    reach, its UnreachableError. Raises Interrupted on Ctrl-C, with what goes on.
    """
    begun: set[str] = set()
    done: set[str] = set()
    asked = {
        "part": wish.part,
        "snapshot": wish.snapshot,
        "paths": list(wish.paths),
        "target": wish.target,
    }

    def work(host: ManagedHost) -> Restored:
        with fleet.login(host) as login:
            begun.add(host.name)
            (said,) = call(login, "restore", stdin=asked, seconds=LONGEST)
        told.reached(host.name, said)
        with well_formed(host.name):
            if said["state"] == "refused":
                raise HostRefusedError(host.name, text(said["why"]))
            if said["state"] != "restored":
                raise AgentError(host.name, text(said["why"]))
            files, size = count(said["files"]), count(said["bytes"])
            return Restored(host.name, text(said["snapshot"]), files, size)

    try:
        return over_hosts(hosts, work, fleet.concurrency, lambda host, _one: done.add(host.name))
    except Interrupted as error:
        message = _("interrupted here; these servers go on restoring: {names}")
        hint = _("look there into {into}").format(into=wish.target)
        raise going_on(error, sorted(begun - done), message, hint) from error

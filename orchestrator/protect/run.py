"""Back hosts up: each runs its own backup, we follow, and keep what came of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.backup import Backup, BackupState, Progress, wish_digest
from orchestrator.model.errors import (
    AgentError,
    HostError,
    HostRefusedError,
    Interrupted,
    UnreachableError,
)
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.going_on import going_on
from orchestrator.protect.host_program import LONGEST, call


def back_up(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    run: str,
    on_progress: Callable[[Progress], None],
    on_done: Callable[[Backup], None],
) -> list[Backup]:
    """Back up every host, at most the fleet's concurrency at once; results in the hosts' order.

    ``on_progress`` is called from any thread, ``on_done`` in this one. A host's failure is its
    result. Raises Interrupted on Ctrl-C, with what goes on: hosts finish their backups.
    """
    begun: set[str] = set()

    def work(host: ManagedHost) -> Backup:
        def heard(document: Mapping[str, Any]) -> None:
            how_far = told.progress(host.name, document)
            if how_far is not None:
                on_progress(how_far)

        with fleet.login(host) as login:
            begun.add(host.name)
            said = call(login, "follow", run, seconds=LONGEST, heard=heard)
        if not said:
            raise AgentError(host.name, _("it said nothing of its backup"))
        if said[-1].get("state") == BackupState.BUSY:
            raise HostRefusedError(host.name, _("another backup goes on"))
        return told.backup(host.name, run, said[-1], wish_digest(host.variables))

    done: dict[str, Backup] = {}

    def note(host: ManagedHost, result: Backup | HostError) -> None:
        one = _failed(result, run) if isinstance(result, HostError) else result
        done[host.name] = one
        on_done(one)

    try:
        over_hosts(hosts, work, fleet.concurrency, note)
    except Interrupted as error:
        names = sorted(begun - done.keys())
        message = _("interrupted here; these servers go on with their backups: {names}")
        hint = _("luytre backup status fetches what comes of them")
        raise going_on(error, names, message, hint) from error
    return [done[host.name] for host in hosts]


def _failed(problem: HostError, run: str) -> Backup:
    state = BackupState.FAILED
    if isinstance(problem, UnreachableError):
        state = BackupState.UNREACHABLE
    elif isinstance(problem, HostRefusedError):
        state = BackupState.BUSY
    return Backup(problem.host, run, state, problems=(("", problem.message),))

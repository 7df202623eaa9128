"""Bring the results of backups home that hosts made by themselves, and judge how hosts stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, well_formed
from orchestrator.model.backup import WHOLE, Backup, wish_digest
from orchestrator.model.drill import Drill
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.protect import told
from orchestrator.protect.host_program import call

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_SECONDS = 60.0


@dataclass(frozen=True)
class Standing:
    """How a host's backups stand: the newest, the newest whole one, and whether that is too old;
    its newest drill that proves anything, and one after it that does not (``undone``).

    ``lost`` is why the host could not be asked now; what is known of it may be out of date.
    """

    host: str
    newest: Backup | None
    whole: Backup | None
    drill: Drill | None
    too_old: bool
    undone: Drill | None = None
    lost: HostError | None = None


def collect(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    store: "Store",
    on_done: Callable[[str], None] = lambda _host: None,
) -> dict[str, HostError]:
    """Keep the results that hosts hold and the store does not; return what went wrong, by host."""

    malformed: dict[str, HostError] = {}

    def work(host: ManagedHost) -> list[Backup]:
        with fleet.login(host) as login:
            (said,) = call(login, "status", seconds=_SECONDS)
        with well_formed(host.name):
            results = [(text(one["run"]), one) for one in records(said["results"])]
        found = []
        for run, one in results:
            try:
                found.append(told.backup(host.name, run, one, wish_digest(host.variables)))
            except HostError as problem:
                # One result that cannot be believed hides none of the others.
                malformed[host.name] = problem
        return found

    def note(host: ManagedHost, result: list[Backup] | HostError) -> None:
        if not isinstance(result, HostError):
            known = store.backup_runs(host.name)
            for one in result:
                if one.run not in known:
                    store.save_backup(one)
        on_done(host.name)

    results = over_hosts(hosts, work, fleet.concurrency, note)
    return malformed | {one.host: one for one in results if isinstance(one, HostError)}


def standings(
    store: "Store", names: Sequence[str], hours: int, lost: Mapping[str, HostError]
) -> list[Standing]:
    """Return how the backups of hosts stand, in the order of the names."""
    newest = {one.host: one for one in store.backups(names)}
    whole = {one.host: one for one in store.backups(names, states=WHOLE)}
    drills = {one.host: one for one in store.drills(names, proving=True)}
    latest = {one.host: one for one in store.drills(names)}
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    return [
        Standing(
            name,
            newest.get(name),
            whole.get(name),
            drills.get(name),
            _is_too_old(whole.get(name), oldest),
            None if latest.get(name) == drills.get(name) else latest.get(name),
            lost.get(name),
        )
        for name in names
    ]


def _is_too_old(whole: Backup | None, oldest: datetime) -> bool:
    return whole is None or whole.started is None or whole.started < oldest

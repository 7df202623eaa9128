"""Bring home what the servers saw, and judge how they are watched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.alert import Alert
from orchestrator.model.change import Outcome
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.told import Topic
from orchestrator.model.watch import Lack, Watch, WatchStanding, standing_document, standing_of
from orchestrator.protect.intrusion import judging, told
from orchestrator.protect.intrusion.databases import Databases
from orchestrator.protect.intrusion.host import ask

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_SECONDS = 300.0
# A thousand events each; the host goes on where the next call begins.
_MOST_CALLS = 5


@dataclass
class Collected:
    """What came of asking the hosts: alerts that are new, how each stands, who did not answer.

    ``moved`` tells by host the run that changed every file that AIDE found changed there;
    ``replaced`` are the hosts whose accepted database is not the one that lies there.
    """

    new: list[Alert] = field(default_factory=list)
    standings: dict[str, WatchStanding] = field(default_factory=dict)
    lost: dict[str, HostError] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)


class Collecting:
    """Asks hosts for what they saw, and keeps it in a store."""

    def __init__(self, fleet: Fleet, store: "Store", databases: Databases) -> None:
        self._fleet = fleet
        self._store = store
        self._accepted = databases.accepted()

    def collect(
        self,
        hosts: Sequence[ManagedHost],
        on_done: Callable[[str], None] = lambda _host: None,
    ) -> Collected:
        """Ask the hosts; a host's failure is its own. Raises Interrupted, ControllerError."""
        names = [host.name for host in hosts]
        answers = {one.host: one.answer for one in self._store.answers(Topic.INTRUSION, names)}
        found = Collected()

        def work(host: ManagedHost) -> list[Watch]:
            return self._ask(host, answers.get(host.name, {}))

        def note(host: ManagedHost, result: "list[Watch] | HostError") -> None:
            before = answers.get(host.name, {})
            if isinstance(result, HostError):
                self._lose(host.name, result, before, found)
            else:
                self._keep(host, result, before, found)
            on_done(host.name)

        over_hosts(hosts, work, self._fleet.concurrency, note)
        return found

    def _ask(self, host: ManagedHost, before: Mapping[str, Any]) -> list[Watch]:
        birth, after = str(before.get("birth", "")), int(before.get("last", 0))
        heard: list[Watch] = []
        with self._fleet.login(host) as login:
            while len(heard) < _MOST_CALLS and (not heard or heard[-1].more):
                words = ("tell", birth or "-", str(after))
                said = ask(login, *words, seconds=_SECONDS)
                heard.append(told.watch(host.name, said))
                birth, after = heard[-1].birth, heard[-1].last
        return heard

    def _keep(
        self,
        host: ManagedHost,
        heard: Sequence[Watch],
        before: Mapping[str, Any],
        found: Collected,
    ) -> None:
        first, last = heard[0], heard[-1]
        accepted = self._accepted.get(host.name)
        seen = [one for watch in heard for one in watch.events]
        seen += judging.silences(first, before)
        seen += judging.of_files(last, accepted, recorded(self._store, host.name))
        now = datetime.now(UTC)
        alerts = [told.alert(host.name, one, now) for one in seen]
        # Alerts first: what is told again after a crash is known by its identity.
        found.new += self._store.save_alerts(host.name, alerts)
        standing = WatchStanding(
            host.name,
            now,
            judging.lacks(last, host, accepted),
            last.banned,
            last.integrity.looked,
        )
        self._save(host.name, last.birth, last.last, last.dropped, standing)
        found.standings[host.name] = standing
        if Lack.DATABASE in standing.lacks:
            found.replaced.append(host.name)
        if accepted is not None:
            run = judging.all_explained(last, accepted, recorded(self._store, host.name))
            if run:
                found.moved[host.name] = run

    def _lose(
        self, name: str, problem: HostError, before: Mapping[str, Any], found: Collected
    ) -> None:
        """Note that a host did not answer; one whose watch alone does not is badly watched."""
        found.lost[name] = problem
        standing = standing_of(name, before.get("standing", {}))
        if isinstance(problem, AgentError):
            lack = Lack.LOST if before else Lack.NEVER
            standing = WatchStanding(name, standing.at, {lack: problem.message})
            if before:
                kept = (str(before["birth"]), int(before["last"]), int(before["dropped"]))
                self._save(name, *kept, standing)
        found.standings[name] = standing

    def _save(
        self, name: str, birth: str, last: int, dropped: int, standing: WatchStanding
    ) -> None:
        answer = {
            "birth": birth,
            "last": last,
            "dropped": dropped,
            "standing": standing_document(standing),
        }
        self._store.save_answer(name, Topic.INTRUSION, answer)


def recorded(store: "Store", host: str) -> judging.Recorded:
    """Return what says whether a run is in the store as one that changed the host."""

    def was_changed(run: str) -> bool:
        ended = {one.host: one.outcome for one in store.host_outcomes(run)} if run else {}
        return ended.get(host) in (Outcome.CONFIRMED, Outcome.ROLLED_BACK)

    return was_changed

"""Bring home what the servers saw, and judge how they are watched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.alert import Alert
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.told import Topic
from orchestrator.model.watch import (
    FileChange,
    Lack,
    Watch,
    WatchStanding,
    not_ours,
    standing_document,
    standing_of,
)
from orchestrator.protect.intrusion import judging, told
from orchestrator.protect.intrusion.databases import Accepted, Databases
from orchestrator.protect.intrusion.host import ask
from orchestrator.protect.intrusion.leaving import Left, left_of
from orchestrator.protect.intrusion.presence import told_anew, unexplained

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_SECONDS = 300.0
# A thousand events each; the host goes on where the next call begins.
_MOST_CALLS = 5


@dataclass
class Collected:
    """What came of asking the hosts: alerts that are new, how each stands, who did not answer.

    ``whole`` are the hosts of which all is to be compared here: what a host tells of its files may
    be accepted, or is not everything that differs. ``replaced`` are those on which another
    database lies than the accepted one.
    """

    new: list[Alert] = field(default_factory=list)
    standings: dict[str, WatchStanding] = field(default_factory=dict)
    lost: dict[str, HostError] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)

    def add(self, again: "Collected") -> None:
        """Add what came of asking some hosts again; how they stood before stays told."""
        self.new += again.new
        self.lost |= again.lost
        self.whole += again.whole


class Collecting:
    """Asks hosts for what they saw, and keeps it in a store."""

    def __init__(self, fleet: Fleet, store: "Store", databases: Databases) -> None:
        self._fleet = fleet
        self._store = store
        self._accepted = databases.accepted()
        self._own = databases.keeper()
        self._left: Mapping[str, Left] = {}

    def collect(
        self,
        hosts: Sequence[ManagedHost],
        on_done: Callable[[str], None] = lambda _host: None,
    ) -> Collected:
        """Ask the hosts; a host's failure is its own. Raises Interrupted, ControllerError."""
        names = [host.name for host in hosts]
        answers = {one.host: one.answer for one in self._store.answers(Topic.INTRUSION, names)}
        self._left = left_of(self._store, names)
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
                heard.append(told.watch(host.name, said, birth, after))
                birth, after = heard[-1].birth, heard[-1].last
        return heard

    def _keep(
        self,
        host: ManagedHost,
        heard: Sequence[Watch],
        before: Mapping[str, Any],
        found: Collected,
    ) -> None:
        last = heard[-1]
        accepted = self._accepted.get(host.name)
        known = standing_of(host.name, before)
        now = datetime.now(UTC)
        changes = self._changes(last, accepted)
        differ = len(not_ours(changes))
        all_told = judging.counts(last.integrity, accepted) and last.integrity.total == len(changes)
        differing = [*judging.of_database(last, accepted)]
        if accepted is not None and last.integrity.looked is not None:
            differing += judging.differences(changes, last.integrity.looked, accepted)
        anew, kept = told_anew(differing, before, whole=all_told)
        kept |= unexplained(changes, before, whole=all_told)
        seen = [one for watch in heard for one in watch.events]
        seen += [*judging.silences(heard, before), *anew]
        # Alerts first: what is told again after a crash is known by its identity.
        alerts = [told.alert(host.name, one, now) for one in seen]
        found.new += self._store.save_alerts(host.name, alerts)
        standing = WatchStanding(
            host.name,
            now,
            judging.lacks(last, host, accepted, self._own),
            last.banned,
            judging.compared_at(last.integrity, accepted, known.looked),
            differ,
        )
        counted = {"birth": last.birth, "last": last.last, "dropped": last.dropped}
        self._save(host.name, {**before, **counted, **kept}, standing)
        found.standings[host.name] = standing
        if {Lack.DATABASE, Lack.NOT_TAKEN} & {*standing.lacks}:
            found.replaced.append(host.name)
        # What another workspace's database hides is found here.
        hidden = Lack.OTHER_KEEPER in standing.lacks
        if hidden or (changes and not (all_told and differ)):
            found.whole.append(host.name)

    def _changes(self, watch: Watch, accepted: Accepted | None) -> Sequence[FileChange]:
        """Return what a host tells of its files, where it counts, by whose run each is so."""
        looked = watch.integrity.looked
        if looked is None or not judging.counts(watch.integrity, accepted):
            return ()
        left = self._left.get(watch.host, Left())
        return left.attributed(watch.integrity.changes, looked)

    def _lose(
        self, name: str, problem: HostError, before: Mapping[str, Any], found: Collected
    ) -> None:
        """Note that a host did not answer, or its watch alone; how it stood before stays known."""
        found.lost[name] = problem
        standing = standing_of(name, before)
        if isinstance(problem, AgentError):
            lack = Lack.LOST if before else Lack.NEVER
            standing = replace(standing, lacks={lack: problem.message})
        else:
            lacks = {**standing.lacks, Lack.UNREACHABLE: problem.message}
            standing = replace(standing, lacks=lacks)
        if before:
            self._save(name, before, standing)
        found.standings[name] = standing

    def _save(self, name: str, answer: Mapping[str, Any], standing: WatchStanding) -> None:
        document = {**answer, "standing": standing_document(standing)}
        self._store.save_answer(name, Topic.INTRUSION, document)

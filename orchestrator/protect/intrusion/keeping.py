"""Keep the trusted databases up: after runs of ours, and where somebody replaced one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.agent import Fleet
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.told import Topic
from orchestrator.model.watch import WatchStanding, not_ours, standing_document, standing_of
from orchestrator.protect.intrusion import judging, told
from orchestrator.protect.intrusion.accepting import Look, accept, look, put_back
from orchestrator.protect.intrusion.collect import Collected
from orchestrator.protect.intrusion.databases import Databases
from orchestrator.protect.intrusion.leaving import left_of, save
from orchestrator.protect.intrusion.presence import told_anew, unexplained

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


@dataclass(frozen=True)
class Keeping:
    """The trusted databases of a workspace, and what is needed to keep them up."""

    fleet: Fleet
    store: "Store"
    databases: Databases
    operator: str

    def look(self, hosts: Sequence[ManagedHost], *, now: bool) -> list[Look | HostError]:
        """Let hosts look at every file (or tell their newest look); compare here."""
        left = left_of(self.store, [host.name for host in hosts])
        return look(self.fleet, hosts, self.databases, left, now=now)

    def compare(self, hosts: Mapping[str, ManagedHost], found: Collected) -> dict[str, str]:
        """Compare the newest looks of hosts here; accept what runs of ours alone have left so.

        Return the run by host. What no run explains becomes alerts; they, and who did not answer,
        are put into what was found.
        """
        if not found.whole:
            return {}
        taken: dict[str, str] = {}
        for one in self.look([hosts[name] for name in found.whole], now=False):
            if isinstance(one, HostError):
                found.lost[one.host] = one
            elif self._is_ours(one) and one.changes and all(each.run for each in one.changes):
                run = taken[one.host] = max(change.run for change in one.changes)
                found.lost |= self._take(hosts, [one], run)
            found.new += [] if isinstance(one, HostError) else self.compared([one])
            if one.host in found.standings and not isinstance(one, HostError):
                found.standings[one.host] = _compared(found.standings[one.host], one)
        if taken:
            self.store.log.append(self.operator, "files accepted after runs", {"hosts": taken})
        return taken

    def put_back(self, hosts: Mapping[str, ManagedHost], found: Collected) -> None:
        """Give hosts the database that counts, where another one lies; note who did not take it."""
        found.lost |= put_back(self.fleet, [hosts[name] for name in found.replaced], self.databases)

    def compared(self, looks: Sequence[Look]) -> list[Alert]:
        """Keep an alert for each file that no run of ours explains; return the new ones."""
        accepted = self.databases.accepted()
        names = [one.host for one in looks]
        answers = {one.host: one.answer for one in self.store.answers(Topic.INTRUSION, names)}
        new: list[Alert] = []
        now = datetime.now(UTC)
        for one in looks:
            if one.changes is None:
                continue
            before = answers.get(one.host, {})
            found = judging.differences(one.changes, one.looked, accepted[one.host])
            seen, kept = told_anew(found, before, whole=True)
            kept |= unexplained(one.changes, before, whole=True)
            alerts = [told.alert(one.host, each, now) for each in seen]
            new += self.store.save_alerts(one.host, alerts)
            self._keep(one, before, kept)
        return new

    def _keep(self, look: Look, before: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        if not before:
            return  # it was never asked how it is watched
        standing = _compared(standing_of(look.host, before), look)
        answer = {**before, **kept, "standing": standing_document(standing)}
        self.store.save_answer(look.host, Topic.INTRUSION, answer)

    def sort_out(self, looks: Sequence[Look]) -> tuple[list[Look], list[HostError]]:
        """Return the looks at hosts that this workspace keeps, and why the others are refused."""
        message = _("its files are kept by another workspace ({name}): --take-over")
        refused: list[HostError] = [
            AgentError(one.host, message.format(name=one.keeper.name))
            for one in looks
            if not self._is_ours(one)
        ]
        return [one for one in looks if self._is_ours(one)], refused

    def _is_ours(self, look: Look) -> bool:
        return look.keeper.id in ("", self.databases.keeper().id)

    def accept(
        self, hosts: Mapping[str, ManagedHost], looks: Sequence[Look], reason: str
    ) -> dict[str, HostError]:
        """Let databases count for a reason; return which hosts did not take theirs.

        Alerts of files of these hosts are marked as looked at, with the reason.
        """
        lost = self._take(hosts, looks, reason)
        detail = {"reason": reason, "hosts": {one.host: one.digest for one in looks}}
        self.store.log.append(self.operator, "files accepted", detail)
        names = [one.host for one in looks]
        kept = self.store.alerts(names, frozenset({AlertKind.INTEGRITY}), only_open=True)
        self.store.mark_seen([one.number for one in kept], self.operator, reason)
        return lost

    def _take(
        self, hosts: Mapping[str, ManagedHost], looks: Sequence[Look], reason: str
    ) -> dict[str, HostError]:
        """Let databases count; forget what runs left before they were made."""
        lost = accept(self.fleet, hosts, looks, self.databases, (self.operator, reason))
        names = [one.host for one in looks]
        left = left_of(self.store, names)
        looked = {one.host: one.looked for one in looks}
        for known in self.store.answers(Topic.INTRUSION, names):
            standing = standing_of(known.host, known.answer)
            standing = replace(standing, looked=looked[known.host], differ=0)
            kept = {"unexplained": [], "standing": standing_document(standing)}
            self.store.save_answer(known.host, Topic.INTRUSION, {**known.answer, **kept})
        for one in looks:
            if one.host in left:
                save(self.store, one.host, left[one.host].since(one.looked))
        return lost


def _compared(standing: WatchStanding, look: Look) -> WatchStanding:
    """Return how a host stands after a look; where nothing was accepted, nothing was compared."""
    if look.changes is None:
        return standing
    return replace(standing, looked=look.looked, differ=len(not_ours(look.changes)))

"""Keep the trusted databases up: after runs of ours, and where somebody replaced one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestrator.fleet.agent import Fleet
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.protect.intrusion import judging, told
from orchestrator.protect.intrusion.accepting import Look, accept, look, put_back
from orchestrator.protect.intrusion.collect import Collected, recorded
from orchestrator.protect.intrusion.databases import Accepted, Databases

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


@dataclass(frozen=True)
class Keeping:
    """The trusted databases of a workspace, and what is needed to keep them up."""

    fleet: Fleet
    store: "Store"
    databases: Databases
    operator: str

    def after_runs(
        self, hosts: Mapping[str, ManagedHost], moved: Mapping[str, str]
    ) -> dict[str, str]:
        """Accept what runs of ours alone have changed; return the run, by host.

        ``moved`` says so by the host's own comparison: here it is made again.
        """
        if not moved:
            return {}
        accepted = self.databases.accepted()
        looks = look(self.fleet, [hosts[name] for name in moved], self.databases, now=False)
        taken: dict[str, str] = {}
        for one in looks:
            if isinstance(one, HostError) or one.changes is None:
                continue
            known = recorded(self.store, one.host)
            if all(judging.explained(each, accepted[one.host], known) for each in one.changes):
                taken[one.host] = moved[one.host]
                why = Accepted(one.digest, datetime.now(UTC), self.operator, moved[one.host])
                accept(self.fleet, hosts, [one], self.databases, why)
        if taken:
            self.store.log.append(self.operator, "files accepted after runs", {"hosts": taken})
        return taken

    def put_back(self, hosts: Mapping[str, ManagedHost], found: Collected) -> dict[str, HostError]:
        """Give hosts the database that counts, where another one lies there."""
        return put_back(self.fleet, [hosts[name] for name in found.replaced], self.databases)

    def compared(self, looks: Sequence[Look]) -> list[Alert]:
        """Keep an alert for each file that no run of ours explains; return the new ones."""
        accepted = self.databases.accepted()
        new: list[Alert] = []
        now = datetime.now(UTC)
        for one in looks:
            if one.changes is None:
                continue
            known = recorded(self.store, one.host)
            seen = judging.differences(one.changes, now, accepted[one.host], known)
            alerts = [told.alert(one.host, each, now) for each in seen]
            new += self.store.save_alerts(one.host, alerts)
        return new

    def accept(
        self, hosts: Mapping[str, ManagedHost], looks: Sequence[Look], reason: str
    ) -> dict[str, HostError]:
        """Let databases count for a reason; return which hosts did not take theirs.

        Alerts of files of these hosts are marked as looked at, with the reason.
        """
        why = Accepted("", datetime.now(UTC), self.operator, reason)
        lost = accept(self.fleet, hosts, looks, self.databases, why)
        detail = {"reason": reason, "hosts": {one.host: one.digest for one in looks}}
        self.store.log.append(self.operator, "files accepted", detail)
        names = [one.host for one in looks]
        kept = self.store.alerts(names, frozenset({AlertKind.INTEGRITY}), only_open=True)
        self.store.mark_seen([one.number for one in kept], self.operator, reason)
        return lost

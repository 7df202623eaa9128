"""What the gate says of the servers of a change, and what is told of those that pass without."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli.views.cells import hosts_text
from orchestrator.model.backup import VAULT_VARIABLE
from orchestrator.model.i18n import _
from orchestrator.model.protection import BACKUP_LACKS

if TYPE_CHECKING:
    from orchestrator.drift.scope import Scope
    from orchestrator.workspace.directory import Workspace


_NAMES = 60


@dataclass(frozen=True)
class AtTheGate:
    """Why hosts must not be changed, and why others are although something is wanting; by host."""

    refusals: Mapping[str, str]
    exceptions: Mapping[str, str]

    def warning(self, changed: Collection[str]) -> str:
        """Return what apply will say of the hosts that a plan would change."""
        refused = [host for host in self.refusals if host in changed]
        message = _("apply will refuse without a proved backup: {hosts}")
        return message.format(hosts=hosts_text(refused, _NAMES)) if refused else ""

    def note(self, changed: Collection[str]) -> str:
        """Return what is kept with a run of the hosts that it changes without a proved backup."""
        by_reason: dict[str, list[str]] = {}
        for host, reason in self.exceptions.items():
            if host in changed:
                by_reason.setdefault(reason, []).append(host)
        told = [f"{', '.join(hosts)} ({reason})" for reason, hosts in by_reason.items()]
        message = _("without a proved backup: {hosts}")
        return message.format(hosts="; ".join(told)) if told else ""


def look_at_gate(workspace: "Workspace", scope: "Scope", without_backup: str) -> AtTheGate:
    """Look how hosts are protected; ``without_backup`` is why that does not matter.

    Nightly backups stay on their hosts until somebody fetches them: where the store knows of none
    that is young, the host is asked before it is refused.
    """
    from orchestrator.change import gate  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415

    limits, now = workspace.settings.backup_gate, utc_now()
    with open_store(workspace) as store:
        found = gate.protection_of(store, scope.hosts)
        lacking = {one.host for one in found if BACKUP_LACKS.intersection(one.lacks(limits, now))}
        asked = [h for h in scope.hosts if h.name in lacking and VAULT_VARIABLE in h.variables]
        if asked and not without_backup:
            from orchestrator.protect.collect import collect  # noqa: PLC0415 - start-up time

            collect(scope.fleet, asked, store)
            found = gate.protection_of(store, scope.hosts)
    refusals = {} if without_backup else gate.refusals(found, limits, now)
    return AtTheGate(refusals, gate.exceptions(found, limits, now, without_backup))

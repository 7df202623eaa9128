"""What every command of the antivirus works on."""

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.model.errors import RefusedError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.host import ManagedHost
    from orchestrator.workspace.directory import Workspace


class AntivirusScope(NamedTuple):
    """The way to the hosts, those within the limit, and the mirrors that serve them."""

    fleet: "Fleet"
    hosts: "tuple[ManagedHost, ...]"
    mirrors: "list[ManagedHost]"

    def require_mirrors(self) -> "list[ManagedHost]":
        """Return the mirrors; raises RefusedError where no host within the limit names one."""
        if not self.mirrors:
            raise RefusedError(
                _("no server within the limit names a mirror of signatures"),
                hint=_("set luytre_antivirus_mirror in the inventory"),
            )
        return self.mirrors


def scope_of(workspace: "Workspace", limit: str | None) -> AntivirusScope:
    """Return what a command works on; raises ConfigurationError where a key is missing."""
    from orchestrator.drift.scope import reach_within  # noqa: PLC0415 - start-up time
    from orchestrator.protect.antivirus.wish import mirrors  # noqa: PLC0415

    fleet, hosts, all_hosts = reach_within(workspace, limit)
    serving = mirrors(hosts, {host.name: host for host in all_hosts})
    fleet.require_keys({host.name: host for host in (*hosts, *serving)}.values())
    return AntivirusScope(fleet, hosts, serving)

"""What every command of the backups works on."""

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.model.errors import RefusedError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.backup import BackupWish
    from orchestrator.model.host import ManagedHost
    from orchestrator.workspace.directory import Workspace


class BackupScope(NamedTuple):
    """The way to the hosts, what is wanted within the limit, and every managed host by name."""

    fleet: "Fleet"
    wishes: "list[BackupWish]"
    every: "dict[str, ManagedHost]"

    def clients(self) -> "list[ManagedHost]":
        """Return the hosts to log in to; raises ConfigurationError where a key is missing."""
        hosts = [self.every[wish.host] for wish in self.wishes]
        self.fleet.require_keys(hosts)
        return hosts


def wanted(workspace: "Workspace", limit: str | None) -> BackupScope:
    """Return what a command of the backups works on within the limit.

    Raises RefusedError where no host within the limit names a vault.
    """
    from orchestrator.cli.views.output import note  # noqa: PLC0415 - start-up time
    from orchestrator.drift.scope import reach_within  # noqa: PLC0415
    from orchestrator.protect.wish import wishes  # noqa: PLC0415

    fleet, hosts, all_hosts = reach_within(workspace, limit)
    every = {host.name: host for host in all_hosts}
    found, left = wishes(hosts, every)
    if not found:
        _refuse_what_serves(hosts, all_hosts)
        raise RefusedError(
            _("no server within the limit names a vault"),
            hint=_("set luytre_backup_vault and luytre_backup_paths in the inventory"),
        )
    vaults = {wish.vault for wish in found}
    if others := [name for name in left if name not in vaults]:
        told = _("not backed up, because they name no vault: {names}")
        note(told.format(names=", ".join(others)))
    return BackupScope(fleet, found, every)


def _refuse_what_serves(hosts: "Sequence[ManagedHost]", every: "Sequence[ManagedHost]") -> None:
    """Raise RefusedError where the hosts are no clients, and others need them; name those."""
    from orchestrator.protect.wish import clients_of  # noqa: PLC0415 - start-up time

    clients = clients_of([host.name for host in hosts], every)
    if clients:
        named = ",".join(clients)
        raise RefusedError(
            _("{hosts}: only clients are named here, what serves them comes along").format(
                hosts=", ".join(host.name for host in hosts)
            ),
            hint=_("name its clients: --limit {clients}").format(clients=named),
        )

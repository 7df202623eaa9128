"""What is to be backed up, as the inventory says it."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.model.backup import DEFAULT_PORT, DEFAULT_TIME, VAULT_VARIABLE, BackupWish
from orchestrator.model.drill import DrillWish
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint

_COPY = "luytre_backup_copy"
_DRILL = "luytre_backup_drill"


def wishes(
    hosts: Sequence[ManagedHost], every: Mapping[str, ManagedHost]
) -> tuple[list[BackupWish], list[str]]:
    """Return what is wanted of the hosts that name a vault, and the names of the others.

    ``every`` holds the managed hosts of the whole inventory by name. Raises ConfigurationError for
    a vault that is none of them, and for a host that names one and nothing to back up.
    """
    named = [host for host in hosts if VAULT_VARIABLE in host.variables]
    used = {str(one.variables.get(VAULT_VARIABLE)) for one in every.values()}
    for host in named:
        if _COPY in host.variables and host.name not in used:
            message = _(
                "{host}: {variable} stands among the variables of a vault, and this is none"
            )
            raise ConfigurationError(message.format(host=host.name, variable=_COPY))
    left = [host.name for host in hosts if VAULT_VARIABLE not in host.variables]
    return [_wish(host, every) for host in named], left


def clients_of(names: Sequence[str], every: Iterable[ManagedHost]) -> list[str]:
    """Return the servers that use some hosts as vault, as scratch host, or for a second copy."""
    hosts, wanted = list(every), set(names)
    copied = {one.name for one in hosts if one.variables.get(_COPY) in wanted}
    return [
        one.name
        for one in hosts
        if one.variables.get(VAULT_VARIABLE) in wanted | copied
        or dict(one.variables.get(_DRILL) or {}).get("host") in wanted
    ]


def vaults(found: Sequence[BackupWish], every: Mapping[str, ManagedHost]) -> list[ManagedHost]:
    """Return the vaults of some wishes, each once."""
    return [every[name] for name in dict.fromkeys(wish.vault for wish in found)]


def copies(vaults_: Sequence[ManagedHost], every: Mapping[str, ManagedHost]) -> dict[str, str]:
    """Return which host pulls a second copy of each vault that names one, by the vault's name."""
    return {
        vault.name: _other(vault, _COPY, str(vault.variables[_COPY]), every)
        for vault in vaults_
        if _COPY in vault.variables
    }


def port_of(vault: ManagedHost) -> int:
    """Return the port of a vault's own sshd."""
    return int(vault.variables.get("luytre_backup_port", DEFAULT_PORT))


def _wish(host: ManagedHost, every: Mapping[str, ManagedHost]) -> BackupWish:
    vault = _other(host, VAULT_VARIABLE, str(host.variables[VAULT_VARIABLE]), every)
    paths = tuple(host.variables.get("luytre_backup_paths", ()))
    databases = tuple(host.variables.get("luytre_backup_databases", ()))
    if not paths and not databases:
        message = _("{host} names a vault, and nothing to back up")
        hint = _("set luytre_backup_paths or luytre_backup_databases")
        raise ConfigurationError(message.format(host=host.name), hint=hint)
    return BackupWish(
        host=host.name,
        vault=vault,
        address=every[vault].endpoint.address,
        port=port_of(every[vault]),
        paths=paths,
        excludes=tuple(host.variables.get("luytre_backup_excludes", ())),
        databases=databases,
        time=str(host.variables.get("luytre_backup_time", DEFAULT_TIME)),
        drill=_drill(host, vault, every),
    )


def _drill(host: ManagedHost, vault: str, every: Mapping[str, ManagedHost]) -> DrillWish | None:
    declared = host.variables.get(_DRILL)
    if declared is None:
        return None
    scratch = _other(host, f"{_DRILL}.host", str(declared["host"]), every)
    if scratch == vault:
        message = _("{host}: what is restored for a drill must not run on the vault")
        raise ConfigurationError(message.format(host=host.name))
    return DrillWish(
        scratch=scratch,
        packages=tuple(declared["packages"]),
        units=tuple(declared["units"]),
        # Units have other names there, and a command would be the scratch host's own.
        checks=tuple(
            check
            for check in host.variables.get("luytre_health", ())
            if {"tcp", "http"} & set(check)
        ),
    )


def _other(host: ManagedHost, variable: str, name: str, every: Mapping[str, ManagedHost]) -> str:
    """Return the name of another managed host that a variable gives; raises ConfigurationError."""
    if name not in every:
        message = _("{host}: {variable} names {other}, which is no managed server of the inventory")
        told = message.format(host=host.name, variable=variable, other=name)
        raise ConfigurationError(told, hint=known_hint(name, sorted(every)))
    if name == host.name:
        message = _("{host}: {variable} names the server itself")
        raise ConfigurationError(message.format(host=host.name, variable=variable))
    return name

"""What the hosts of second copies say of them: what somebody must look at."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import texts, well_formed
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.vault_alert import Alarm, VaultAlert
from orchestrator.protect.host_program import call
from orchestrator.protect.told import moment

_SECONDS = 60.0
# A copy is made every day; one that fails once is told by its problems.
_OLDEST = timedelta(hours=50)


def ask_copies(
    fleet: Fleet, pulling: Mapping[str, str], every: Mapping[str, ManagedHost]
) -> tuple[dict[tuple[str, str], list[VaultAlert]], dict[str, HostError]]:
    """Return what is wrong with each second copy, by (host, vault), and what went wrong, by host.

    ``pulling`` says by vault which host pulls from it.
    """

    def work(host: ManagedHost) -> dict[tuple[str, str], list[VaultAlert]]:
        with fleet.login(host) as login:
            (said,) = call(login, "copy-status", seconds=_SECONDS)
        mine = [vault for vault, puller in pulling.items() if puller == host.name]
        return {(host.name, vault): alerts(host.name, vault, said.get(vault)) for vault in mine}

    hosts = [every[name] for name in dict.fromkeys(pulling.values())]
    results = over_hosts(hosts, work, fleet.concurrency)
    found = {key: a for one in results if isinstance(one, dict) for key, a in one.items()}
    return found, {one.host: one for one in results if isinstance(one, HostError)}


def alerts(host: str, vault: str, said: Mapping[str, Any] | None) -> list[VaultAlert]:
    """Return the alerts of one vault's copy; raises AgentError where it is malformed."""
    if said is None:
        return [VaultAlert(host, vault, Alarm.COPY_OLD)]
    found = []
    with well_formed(host):
        whole = None if said["whole"] is None else moment(said["whole"])
        problems = texts(said["problems"])
    if problems:
        found.append(VaultAlert(host, vault, Alarm.COPY, "; ".join(problems)))
    if whole is None or whole < datetime.now(UTC) - _OLDEST:
        found.append(VaultAlert(host, vault, Alarm.COPY_OLD, at=whole))
    return found

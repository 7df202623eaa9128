"""What the vaults say of the backups that lie there: what somebody must look at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.protect.host_program import call
from orchestrator.protect.told import moment

# A listing that is not cached yet costs a second for each client.
_SECONDS = 600.0
_NEARLY_FULL = 0.05


class Alert(StrEnum):
    """What a vault raises the alarm for; the words are the views'."""

    DELETION = "deletion"
    DAMAGED = "damaged"
    JUNK = "junk"
    CHECK = "check"
    RETENTION = "retention"
    FULL = "full"
    CARE = "care"
    UNREADABLE = "unreadable"
    COPY = "copy"
    COPY_OLD = "copy_old"


@dataclass(frozen=True)
class VaultAlert:
    """One thing to look at: on which vault, of which client (empty: of all), in which words.

    Of a second copy, ``vault`` is the host that keeps it, ``client`` the vault.
    """

    vault: str
    client: str
    alert: Alert
    detail: str = ""
    number: int = 0
    at: datetime | None = None


def ask_vaults(
    fleet: Fleet,
    vaults: Sequence[ManagedHost],
    on_done: Callable[[str], None] = lambda _host: None,
) -> tuple[list[VaultAlert], dict[str, HostError]]:
    """Return what the vaults raise the alarm for, and what went wrong, by vault."""

    def work(vault: ManagedHost) -> list[VaultAlert]:
        with fleet.login(vault) as login:
            (said,) = call(login, "survey", seconds=_SECONDS)
        return alerts(vault.name, said)

    results = over_hosts(vaults, work, fleet.concurrency, lambda vault, _r: on_done(vault.name))
    found = [alert for one in results if not isinstance(one, HostError) for alert in one]
    return found, {one.host: one for one in results if isinstance(one, HostError)}


def alerts(vault: str, said: Mapping[str, Any]) -> list[VaultAlert]:
    """Return the alerts in a vault's survey; raises AgentError where that is malformed."""
    with well_formed(vault):
        found = []
        if said["problem"]:
            found.append(VaultAlert(vault, "", Alert.UNREADABLE, text(said["problem"])))
        for client, told in said["clients"].items():
            found += _of_client(vault, text(client), told)
        return found


def _of_client(vault: str, client: str, told: Mapping[str, Any]) -> list[VaultAlert]:
    found = []
    if told["problem"]:
        found.append(VaultAlert(vault, client, Alert.UNREADABLE, text(told["problem"])))
    refused = told["refused"]
    if refused:
        latest = records(refused["latest"])
        path = text(latest[-1]["path"]) if latest else ""
        at = moment(refused["last"])
        number = int(refused["count"])
        found.append(VaultAlert(vault, client, Alert.DELETION, path, number, at))
    total, free = told.get("total_bytes", 0), told.get("free_bytes", 0)
    if total and free < total * _NEARLY_FULL:
        found.append(VaultAlert(vault, client, Alert.FULL, number=int(free)))
    for job, result in told.get("care", {}).items():
        found += _of_job(vault, client, text(job), result)
    return found


def _of_job(vault: str, client: str, job: str, result: Mapping[str, Any]) -> list[VaultAlert]:
    state = text(result["state"])
    if state == "failed":
        why = "; ".join(texts(result["why"]))
        return [VaultAlert(vault, client, Alert.CARE, f"{job}: {why}")]
    if job == "scrub" and state == "problems":
        first = next(iter(records(result["problems"])), {"path": "", "kind": ""})
        detail = f"{text(first['path'])} ({text(first['kind'])})"
        return [VaultAlert(vault, client, Alert.DAMAGED, detail, int(result["problems_total"]))]
    if job == "junk" and state == "problems":
        return [VaultAlert(vault, client, Alert.JUNK, number=int(result["aside_total"]))]
    if job == "check" and state == "problems":
        return [VaultAlert(vault, client, Alert.CHECK, "; ".join(texts(result["problems"])))]
    if job == "retention" and state == "refused":
        return [VaultAlert(vault, client, Alert.RETENTION, "; ".join(texts(result["why"])))]
    return []

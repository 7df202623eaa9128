"""What the vaults say of the backups that lie there: what somebody must look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.vault_alert import Alarm, VaultAlert
from orchestrator.protect.host_program import call
from orchestrator.protect.told import moment

# A listing that is not cached yet costs a second for each client.
_SECONDS = 600.0
_NEARLY_FULL = 0.05


@dataclass(frozen=True)
class Survey:
    """What a vault says: its alerts, and the ids of snapshots that it lacks, by client.

    A client whose snapshots it could not list is not among them.
    """

    vault: str
    alerts: tuple[VaultAlert, ...]
    lacks: Mapping[str, frozenset[str]]


def ask_vaults(
    fleet: Fleet,
    vaults: Sequence[ManagedHost],
    looked_for: Mapping[str, Mapping[str, Sequence[str]]],
) -> tuple[dict[str, Survey], dict[str, HostError]]:
    """Return what each vault says, and what went wrong, by vault.

    ``looked_for`` names by vault and client the snapshots that should be there.
    """

    def work(vault: ManagedHost) -> Survey:
        asked = looked_for.get(vault.name, {})
        with fleet.login(vault) as login:
            (said,) = call(login, "survey", stdin=asked, seconds=_SECONDS)
        return survey(vault.name, said, asked)

    results = over_hosts(vaults, work, fleet.concurrency)
    surveys = {one.vault: one for one in results if not isinstance(one, HostError)}
    return surveys, {one.host: one for one in results if isinstance(one, HostError)}


def survey(vault: str, said: Mapping[str, Any], looked_for: Mapping[str, Sequence[str]]) -> Survey:
    """Return a vault's survey; raises AgentError where that is malformed."""
    found = tuple(alerts(vault, said))
    lacks = {}
    with well_formed(vault):
        for client, ids in looked_for.items():
            told = said["clients"].get(client)
            if told is None:
                # It has no repository of it at all.
                lacks[client] = frozenset(ids)
            elif "lacks" in told:
                lacks[client] = frozenset(texts(told["lacks"])) & frozenset(ids)
    return Survey(vault, found, lacks)


def alerts(vault: str, said: Mapping[str, Any]) -> list[VaultAlert]:
    """Return the alerts in a vault's survey; raises AgentError where that is malformed."""
    with well_formed(vault):
        found = []
        if said["problem"]:
            found.append(VaultAlert(vault, "", Alarm.UNREADABLE, text(said["problem"])))
        for client, told in said["clients"].items():
            found += _of_client(vault, text(client), told)
        return found


def _of_client(vault: str, client: str, told: Mapping[str, Any]) -> list[VaultAlert]:
    found = []
    if told["problem"]:
        found.append(VaultAlert(vault, client, Alarm.UNREADABLE, text(told["problem"])))
    refused = told["refused"]
    if refused:
        latest = records(refused["latest"])
        path = text(latest[-1]["path"]) if latest else ""
        at = moment(refused["last"])
        number = int(refused["count"])
        found.append(VaultAlert(vault, client, Alarm.DELETION, path, number, at))
    total, free = told.get("total_bytes", 0), told.get("free_bytes", 0)
    if total and free < total * _NEARLY_FULL:
        found.append(VaultAlert(vault, client, Alarm.FULL, number=int(free)))
    for job, result in told.get("care", {}).items():
        found += _of_job(vault, client, text(job), result)
    return found


def _of_job(vault: str, client: str, job: str, result: Mapping[str, Any]) -> list[VaultAlert]:
    state = text(result["state"])
    if state == "failed":
        why = "; ".join(texts(result["why"]))
        return [VaultAlert(vault, client, Alarm.CARE, f"{job}: {why}")]
    if job == "scrub" and state == "problems":
        first = next(iter(records(result["problems"])), {"path": "", "kind": ""})
        detail = f"{text(first['path'])} ({text(first['kind'])})"
        return [VaultAlert(vault, client, Alarm.DAMAGED, detail, int(result["problems_total"]))]
    if job == "junk" and state == "problems":
        return [VaultAlert(vault, client, Alarm.JUNK, number=int(result["aside_total"]))]
    if job == "check" and state == "problems":
        return [VaultAlert(vault, client, Alarm.CHECK, "; ".join(texts(result["problems"])))]
    if job == "retention" and state == "refused":
        return [VaultAlert(vault, client, Alarm.RETENTION, "; ".join(texts(result["why"])))]
    return []

"""The gate: who could not be brought back is not changed, unless somebody says why."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.model.backup import WHOLE
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.protection import BACKUP_LACKS, WAIVED, Gate, Protection, protections
from orchestrator.report.words import lack_text

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


def protection_of(store: "Store", hosts: Iterable[ManagedHost]) -> list[Protection]:
    """Return how hosts are protected, from the store and what the inventory waives."""
    waived = [(host.name, str(host.variables.get(WAIVED, ""))) for host in hosts]
    names = [name for name, _why in waived]
    drills = store.drills(names, proving=True)
    return protections(waived, store.backups(names, states=WHOLE), drills)


def refusals(found: Iterable[Protection], gate: Gate, now: datetime) -> dict[str, str]:
    """Return by host why it must not be changed; a host that is waived, or lacks nothing, may."""
    told = {}
    for one in found:
        lacks = one.lacks(gate, now)
        if lacks and not one.waived:
            what = "; ".join(lack_text(lack, gate) for lack in lacks)
            verbs = ["run"] if BACKUP_LACKS.intersection(lacks) else []
            verbs += ["drill"] if not BACKUP_LACKS.issuperset(lacks) else []
            commands = "; ".join(f"luytre backup {verb} --limit {one.host}" for verb in verbs)
            message = _("{what}: {commands}; to change it anyway: --without-backup REASON")
            told[one.host] = message.format(what=what, commands=commands)
    return told


def exceptions(
    found: Iterable[Protection], gate: Gate, now: datetime, reason: str
) -> dict[str, str]:
    """Return by host why it is changed although something is wanting: waived, or ``reason``."""
    return {
        one.host: one.waived or reason
        for one in found
        if (one.waived or reason) and one.lacks(gate, now)
    }

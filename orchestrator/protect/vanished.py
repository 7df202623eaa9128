"""Backups that their vault has no more, although the store knows them: they count no longer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.model.backup import RESTORABLE, WHOLE, Backup, BackupState, BackupWish
from orchestrator.model.i18n import _
from orchestrator.model.vault_alert import Alarm, VaultAlert
from orchestrator.protect.vault_view import Survey

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

# So many of each host are looked for: what is older, the vault's retention may have removed.
_NEWEST = 10


Known = Mapping[str, Sequence[Backup]]


def newest_backups(store: "Store", wishes: Iterable[BackupWish]) -> Known:
    """Return by host its newest backups that there is something to restore from."""
    found: dict[str, list[Backup]] = {wish.host: [] for wish in wishes}
    for backup in store.backups([*found], _NEWEST, states=RESTORABLE):
        found[backup.host].append(backup)
    return found


def looked_for(wishes: Iterable[BackupWish], known: Known) -> dict[str, dict[str, list[str]]]:
    """Return by vault and client the snapshots that should be there."""
    found: dict[str, dict[str, list[str]]] = {}
    for wish in wishes:
        ids = [one.id for backup in known[wish.host] for one in backup.snapshots]
        found.setdefault(wish.vault, {})[wish.host] = ids
    return found


def note_vanished(
    store: "Store",
    wishes: Iterable[BackupWish],
    known: Known,
    surveys: Mapping[str, Survey],
) -> list[VaultAlert]:
    """Let no backup count as whole whose snapshots its vault lacks; return an alert for each."""
    found = []
    for wish in wishes:
        lacks = surveys[wish.vault].lacks.get(wish.host) if wish.vault in surveys else None
        for backup in known[wish.host] if lacks else ():
            gone = [one for one in backup.snapshots if one.id in (lacks or ())]
            if not gone:
                continue
            detail, number = backup.run, len(gone)
            found.append(VaultAlert(wish.vault, wish.host, Alarm.VANISHED, detail, number))
            if backup.state in WHOLE:
                why = _("its snapshot {id} is not in the vault any more")
                told = tuple((one.part, why.format(id=one.id[:8])) for one in gone)
                problems = (*backup.problems, *told)
                state = BackupState.PARTIAL
                store.save_backup(replace(backup, state=state, problems=problems))
    return found

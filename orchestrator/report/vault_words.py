"""What vaults raise the alarm for, in the operator's language."""

from rich.filesize import decimal

from orchestrator.model.i18n import _, _n
from orchestrator.model.vault_alert import Alarm, VaultAlert

_PROGRAM = "python3 -I /usr/local/lib/luytre/backup.pyz"


def alert_text(alert: VaultAlert, *, vault: bool = True) -> str:
    """Return one alert as a line: vault, client, what is to be looked at, and what to do then.

    Without ``vault`` for a reader who knows which vault it is; what to do stands elsewhere then.
    """
    n = alert.number
    when = _("never") if alert.at is None else f"{alert.at.astimezone():%Y-%m-%d %H:%M}"
    told = {
        "deletion": _n(
            "{n} try to delete or overwrite backups was refused, at {when}: {detail}",
            "{n} tries to delete or overwrite backups were refused, the last at {when}: {detail}",
            n,
        ),
        "damaged": _n(
            "{n} file in the repository is not as it should be: {detail}",
            "{n} files in the repository are not as they should be, first: {detail}",
            n,
        ),
        "junk": _n(
            "{n} file that would keep restores from working was moved aside",
            "{n} files that would keep restores from working were moved aside",
            n,
        ),
        "check": _("restic's check found problems: {detail}"),
        "retention": _("nothing old was removed, because snapshots look wrong: {detail}"),
        "full": _("the vault is nearly full: {left} left"),
        "care": _("its care failed: {detail}"),
        "copy": _("the second copy is not as it should be: {detail}"),
        "copy_old": _("the second copy is too old; whole last: {when}"),
        "unreadable": _("the vault cannot tell: {detail}"),
        "vanished": _n(
            "{n} snapshot of the backup {detail} is not in the vault any more",
            "{n} snapshots of the backup {detail} are not in the vault any more",
            n,
        ),
    }[alert.alert.value]
    words = told.format(n=n, when=when, detail=alert.detail, left=decimal(n))
    if not vault:
        return ": ".join(filter(None, (alert.client, words)))
    said = ": ".join(filter(None, (alert.vault, alert.client, words)))
    return f"{said}; {_to_do(alert)}"


def _to_do(alert: VaultAlert) -> str:
    """Return what to do about an alert, once somebody has looked."""
    # What root of the vault types leads to deletion: the controller cannot.
    accept, vault = f"{_PROGRAM} accept {alert.client}", alert.vault
    return {
        Alarm.DELETION: _(
            "look who works on {client}: its backups are safe, the server may not be"
        ),
        Alarm.DAMAGED: _("prove it: luytre backup verify --limit {client}; on {vault}: {losses}"),
        Alarm.JUNK: _("look on {vault} into {aside}, then empty it"),
        Alarm.CHECK: _("prove it: luytre backup verify --limit {client}"),
        Alarm.RETENTION: _("look at them; if they are right, on {vault}: {accept} SNAPSHOT"),
        Alarm.FULL: _("give {vault} more room"),
        Alarm.CARE: _("look on {vault}: journalctl -u luytre-vault-care"),
        Alarm.UNREADABLE: _("look on {vault}: journalctl -u luytre-vault-care"),
        Alarm.VANISHED: _("back up anew: luytre backup run --limit {client}"),
        Alarm.COPY: _("look on {vault}; if it is right there: {copied}"),
        Alarm.COPY_OLD: _("look on {vault}: journalctl -u luytre-copy"),
    }[alert.alert].format(
        vault=vault,
        client=alert.client,
        accept=accept,
        losses=f"{accept} losses",
        aside=f"/srv/luytre-vault/{alert.client}/aside",
        copied=f"{_PROGRAM} copy-accept {alert.client}",
    )

"""What vaults raise the alarm for, in the operator's language."""

from typing import TYPE_CHECKING

from rich.filesize import decimal

from orchestrator.cli.views.cells import local_time
from orchestrator.model.i18n import _, _n

if TYPE_CHECKING:
    from orchestrator.protect.vault_view import VaultAlert


def alert_text(alert: "VaultAlert") -> str:
    """Return one alert as a line: vault, client, what is to be looked at."""
    n = alert.number
    when = _("never") if alert.at is None else local_time(alert.at)
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
    }[alert.alert.value]
    words = told.format(n=n, when=when, detail=alert.detail, left=decimal(n))
    return ": ".join(filter(None, (alert.vault, alert.client, words)))

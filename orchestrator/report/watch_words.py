"""What is wanting of a server's watch, in the operator's language."""

from orchestrator.model.i18n import _, _n
from orchestrator.model.watch import Lack


def lack_text(lack: Lack, why: str) -> str:
    """Return what is wanting; ``why`` is what the host said of it."""
    if lack is Lack.NO_FAIL2BAN:
        why = {"absent": _("absent"), "stopped": _("stopped")}.get(why, why)
    told = {
        Lack.NEVER: _("it does not watch itself yet: {why}"),
        Lack.UNASKED: _("nobody has asked it yet what it saw"),
        Lack.LOST: _("its watch does not answer: {why}"),
        Lack.UNREACHABLE: _("it was not reached: {why}"),
        Lack.PROBLEM: _("its watch cannot see everything: {why}"),
        Lack.NO_FAIL2BAN: _("fail2ban keeps nobody out ({why})"),
        Lack.BASTION: _("fail2ban would ban where it is administered from: {why}"),
        Lack.NO_DATABASE: _("no state of its files was accepted yet"),
        Lack.DATABASE: _("its AIDE database is not the accepted one"),
        Lack.NOT_TAKEN: _("it did not take the accepted AIDE database yet"),
        Lack.OTHER_KEEPER: _("its AIDE database is that of another workspace: {why}"),
        Lack.NOT_COMPARED: _("its files were not compared: {why}"),
    }[lack]
    return told.format(why=why or _("for more than two days"))


def files_text(number: int) -> str:
    """Return how many files there are."""
    return _n("{n} file", "{n} files", number).format(n=number)

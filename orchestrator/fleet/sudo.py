"""What sudo says, or PAM before it, in our words. Pure: sudo speaks English here (LC_ALL=C)."""

import re
from typing import NamedTuple

from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

_NO_COMMAND = (126, 127)

# env speaks the account's language (its locale was chosen before LC_ALL), shells say "not found".
_MISSING = re.compile(rb"^env: [^\n]*sudo|sudo: not found", re.MULTILINE)
_NEEDS_PASSWORD = re.compile(rb"sudo: (a password is required|a terminal is required)")
_NO_RIGHTS = re.compile(
    rb"is not in the sudoers file|is not allowed to (execute|run) |may not run sudo on"
)
_WRONG_PASSWORD = re.compile(rb"sudo: \d+ incorrect password attempt|Sorry, try again")
_LOCKED = re.compile(rb"sudo: (account validation failure|PAM account management error)[^\n]*")
_NEEDS_TERMINAL = re.compile(rb"you must have a tty to run sudo")
_OTHER = re.compile(rb"^sudo: (?!unable to resolve host)[^\n]+", re.MULTILINE)
_PASSWORD_RUN_OUT = re.compile(rb"[Pp]assword change required|required to change your password")


class Refusal(NamedTuple):
    """Why root's work could not begin, and the way to mend it."""

    message: str
    hint: str = ""


def refusal(
    endpoint: Endpoint, status: int | None, stderr: bytes, *, ready: bool
) -> Refusal | None:
    """Return why sudo did not run the command; ``None`` when it did (its own status counts then).

    ``ready`` says that the command announced itself, or that it was not asked to.
    """
    if endpoint.user == "root":
        return None
    if status in _NO_COMMAND and _MISSING.search(stderr):
        return Refusal(_("sudo is not installed"), _("install sudo, or log in as root"))
    said = _by_name(endpoint, stderr)
    if said is not None:
        return said
    other = _OTHER.search(stderr)
    if other is not None:
        return Refusal(_("sudo failed: {reason}").format(reason=quoted(other.group())))
    if not ready:
        words = quoted(stderr[-200:]) or _("without a word")
        return Refusal(_("sudo ended before the command ran: {reason}").format(reason=words))
    return None


def wrong_password() -> Refusal:
    """Return the words for a password that sudo asked for twice."""
    return Refusal(
        _("sudo does not accept the password"),
        _("mend ansible_become_password in the inventory's vault"),
    )


def password_run_out(stderr: bytes) -> Refusal | None:
    """Return the words for an account that may only change its password; ``None`` for others."""
    if not _PASSWORD_RUN_OUT.search(stderr):
        return None
    return Refusal(_("its password has run out"), _("log in by hand once and set a new one"))


def _by_name(endpoint: Endpoint, stderr: bytes) -> Refusal | None:
    user = endpoint.user
    if _NO_RIGHTS.search(stderr):
        message = _("{user} has no right to become root with sudo").format(user=user)
        return Refusal(message, _("give {user} a rule in /etc/sudoers.d").format(user=user))
    if _WRONG_PASSWORD.search(stderr):
        return wrong_password()
    if _NEEDS_PASSWORD.search(stderr):
        message = _("sudo asks for a password (or {user} has no right to use it)")
        hint = _("set ansible_become_password in the inventory (in a vault), or allow NOPASSWD")
        return Refusal(message.format(user=user), hint)
    if _NEEDS_TERMINAL.search(stderr):
        return Refusal(_("sudo insists on a terminal"), _("take requiretty out of its sudoers"))
    locked = _LOCKED.search(stderr)
    if locked is not None:
        return Refusal(_("sudo failed: {reason}").format(reason=quoted(locked.group())))
    return None

"""What sshd, sudo and su say in the journal, as they say it on Debian 12 and 13. Pure."""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

IDENTIFIERS = ("sshd", "sshd-session", "sudo", "su")

_ACCEPTED = re.compile(r"Accepted (?P<method>\S+) for (?P<user>.+) from (?P<source>\S+) port \d+")
_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]+")
# One line for each attempt: "Connection closed by invalid user" follows on "Invalid user".
_FAILED = re.compile(
    r"Failed (?:password|keyboard-interactive/pam) for (?:invalid user )?(?P<user>.*) "
    r"from (?P<source>\S+) port \d+"
    r"|Invalid user (?P<user2>.*) from (?P<source2>\S+) port \d+"
    r"|Connection (?:closed|reset) by authenticating user (?P<user3>.*) (?P<source3>\S+) port \d+"
)
_SUDO = re.compile(r"\s*(?P<user>\S+) : (?P<rest>.*)", re.DOTALL)
_SUDO_REFUSED = re.compile(
    r"user NOT in sudoers|command not allowed|\d+ incorrect password attempts?"
    r"|user NOT authorized on host|a password is required|auth could not identify"
)
_COMMAND = re.compile(r"\bCOMMAND=(?P<command>.*)", re.DOTALL)
_SU = re.compile(r"\(to (?P<to>\S+)\) (?P<user>\S+) on ")
_SU_FAILED = re.compile(r"FAILED SU \(to (?P<to>\S+)\) (?P<user>\S+) on ")


def seen(entry: "Dict[str, Any]") -> "Optional[Dict[str, str]]":
    """Return what an entry of the journal tells: ``what`` and its details; None for the rest.

    Anybody can write a line into the journal; the journal itself says who did.
    """
    message = entry.get("MESSAGE")
    if not isinstance(message, str):
        return None  # bytes that are no text
    identifier = entry.get("SYSLOG_IDENTIFIER")
    if identifier in ("sshd", "sshd-session"):
        return _of_sshd(message) if entry.get("_UID") == "0" else None
    if identifier == "sudo":
        return _of_sudo(message) if entry.get("_COMM", "sudo") == "sudo" else None
    if identifier == "su":
        return _of_su(message) if entry.get("_COMM", "su") == "su" else None
    return None


def _of_sshd(message: str) -> "Optional[Dict[str, str]]":
    found = _ACCEPTED.match(message)
    if found:
        key = _KEY.search(message)
        return dict(found.groupdict(), what="login", key=key.group(0) if key else "")
    found = _FAILED.match(message)
    if found is None:
        return None
    users = (found.group("user"), found.group("user2"), found.group("user3"))
    sources = (found.group("source"), found.group("source2"), found.group("source3"))
    user = next((one for one in users if one is not None), "")
    return {"what": "failed", "user": user, "source": next(one for one in sources if one)}


def _of_sudo(message: str) -> "Optional[Dict[str, str]]":
    found = _SUDO.match(message)
    if found is None:
        return None
    user, rest = found.group("user"), found.group("rest")
    command = _COMMAND.search(rest)
    told = {"user": user, "command": command.group("command") if command else ""}
    refused = _SUDO_REFUSED.search(rest)
    if refused:
        return dict(told, what="sudo_refused", why=refused.group(0))
    return dict(told, what="sudo") if command else None


def _of_su(message: str) -> "Optional[Dict[str, str]]":
    found = _SU_FAILED.match(message)
    if found:
        return dict(found.groupdict(), what="su_refused")
    found = _SU.match(message)
    return dict(found.groupdict(), what="su") if found else None

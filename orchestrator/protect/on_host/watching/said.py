"""What sshd, sudo, su and the like say in the journal, as on Debian 12 and 13. Pure."""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_OF_ROOT = ("sshd", "sshd-session", "login")
_PROGRAMS = {
    "sudo": "/usr/bin/sudo",
    "su": "/usr/bin/su",
    "pkexec": "/usr/bin/pkexec",
    "polkitd": "/usr/lib/polkit-1/polkitd",
}
IDENTIFIERS = (*_OF_ROOT, *sorted(_PROGRAMS))
# proc(5): so ends the name of a program whose file was replaced.
_REPLACED = " (deleted)"

_ACCEPTED = re.compile(r"Accepted (?P<method>\S+) for (?P<user>.+) from (?P<source>\S+) port \d+")
_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]+")
# One line for each attempt: "Connection closed by invalid user" follows on "Invalid user".
_FAILED = (
    re.compile(
        r"Failed (?:password|keyboard-interactive/pam) for (?:invalid user )?(?P<user>.*) "
        r"from (?P<source>\S+) port \d+"
    ),
    re.compile(r"Invalid user (?P<user>.*) from (?P<source>\S+) port \d+"),
    re.compile(
        r"(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) "
        r"authenticating user (?P<user>.*) (?P<source>\S+) port \d+"
    ),
    re.compile(r"(?P<user>ROOT) LOGIN REFUSED FROM (?P<source>\S+) port \d+"),
    re.compile(r"User (?P<user>.*) from (?P<source>\S+) not allowed because "),
)
_SUDO = re.compile(r"\s*(?P<user>\S+) : (?P<rest>.*)", re.DOTALL)
# It comes first: everything behind it is chosen by whoever calls sudo.
_SUDO_REFUSED = re.compile(
    r"user NOT in sudoers|command not allowed|\d+ incorrect password attempts?"
    r"|user NOT authorized on host|a password is required|auth could not identify"
)
_COMMAND = re.compile(r"\bCOMMAND=(?P<command>.*)", re.DOTALL)
_SU = re.compile(r"\(to (?P<to>\S+)\) (?P<user>\S+) on ")
_SU_FAILED = re.compile(r"FAILED SU \(to (?P<to>\S+)\) (?P<user>\S+) on ")
_CONSOLE = re.compile(
    r"pam_unix\(login:session\): session opened for user (?P<user>[^\s(]+)(?:\(uid=\d+\))? by "
)
_PKEXEC = re.compile(r"(?P<user>\S+): Executing command \[USER=(?P<to>[^\]]*)\].*\[COMMAND=")
_PKEXEC_REFUSED = re.compile(r"(?P<user>\S+): Error executing command as another user: ")
_POLKIT = re.compile(
    r"Operator of \S+ (?:successfully authenticated as unix-user:(?P<to>\S+)"
    r"|(?P<failed>FAILED) to authenticate) to gain (?:\S+ )?authorization "
    r"for action (?P<action>\S+) for .* \(owned by unix-user:(?P<user>\S+)\)",
    re.DOTALL,
)


def seen(entry: "Dict[str, Any]") -> "Optional[Dict[str, str]]":
    """Return what an entry of the journal tells: ``what`` and its details; None for the rest.

    Anybody can write a line into the journal; the journal itself says who did.
    """
    identifier = entry.get("SYSLOG_IDENTIFIER")
    if identifier not in IDENTIFIERS or not _is_its_own(entry, identifier):
        return None
    message = _text(entry.get("MESSAGE"))
    if message is None:
        return {"what": "unreadable", "program": identifier}
    readers = {"sudo": _of_sudo, "su": _of_su, "login": _of_login}
    readers.update({"pkexec": _of_pkexec, "polkitd": _of_polkit})
    return readers.get(identifier, _of_sshd)(message)


def _is_its_own(entry: "Dict[str, Any]", identifier: str) -> bool:
    """Return whether nothing speaks against it that the program wrote this line itself."""
    if identifier in _OF_ROOT:
        return bool(entry.get("_UID") == "0")
    program = entry.get("_EXE")
    if isinstance(program, str):
        end = -len(_REPLACED) if program.endswith(_REPLACED) else None
        return program[:end] == _PROGRAMS[identifier]
    # A quarter of the refusals of sudo: it had ended before the journal looked at its file.
    return bool(entry.get("_COMM", identifier) == identifier)


def _text(message: "Any") -> "Optional[str]":
    """Return a message; bytes that are no UTF-8 are spelled out. None where it is not there.

    journalctl gives such a message as its bytes, and leaves one out that is very long.
    """
    if isinstance(message, list):
        try:
            return bytes(message).decode("utf-8", "backslashreplace")
        except (TypeError, ValueError):
            return None
    return message if isinstance(message, str) else None


def _of_sshd(message: str) -> "Optional[Dict[str, str]]":
    found = _ACCEPTED.match(message)
    if found:
        key = _KEY.search(message)
        return dict(found.groupdict(), what="login", key=key.group(0) if key else "")
    for pattern in _FAILED:
        found = pattern.match(message)
        if found:
            user = "root" if found.group("user") == "ROOT" else found.group("user")
            return {"what": "failed", "user": user, "source": found.group("source")}
    return None


def _of_sudo(message: str) -> "Optional[Dict[str, str]]":
    found = _SUDO.match(message)
    if found is None:
        return None
    user, rest = found.group("user"), found.group("rest")
    command = _COMMAND.search(rest)
    told = {"user": user, "command": command.group("command") if command else ""}
    refused = _SUDO_REFUSED.match(rest)
    if refused:
        return dict(told, what="sudo_refused", why=refused.group(0))
    return dict(told, what="sudo") if command else None


def _of_su(message: str) -> "Optional[Dict[str, str]]":
    found = _SU_FAILED.match(message)
    if found:
        return dict(found.groupdict(), what="su_refused")
    found = _SU.match(message)
    return dict(found.groupdict(), what="su") if found else None


def _of_login(message: str) -> "Optional[Dict[str, str]]":
    found = _CONSOLE.match(message)
    return dict(found.groupdict(), what="login_console") if found else None


def _of_pkexec(message: str) -> "Optional[Dict[str, str]]":
    found = _PKEXEC_REFUSED.match(message)
    if found:
        return {"what": "polkit_refused", "user": found.group("user"), "action": "pkexec"}
    found = _PKEXEC.match(message)
    if found:
        return {"what": "polkit", "user": found.group("user"), "action": "pkexec"}
    return None


def _of_polkit(message: str) -> "Optional[Dict[str, str]]":
    found = _POLKIT.match(message)
    if found is None:
        return None
    what = "polkit_refused" if found.group("failed") else "polkit"
    return {"what": what, "user": found.group("user"), "action": found.group("action")}

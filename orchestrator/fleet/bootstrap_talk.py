"""The talk with the script in ``on_host``: what it is sent, and its lines in our words. Pure.

Of what a host says only the words that the script has are believed; the rest is quoted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from orchestrator.fleet.ssh import Exchange
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.errors import AgentError, HostError, HostRefusedError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

STATE = "/var/lib/luytre-bootstrap"
_SCRIPT = f"{STATE}/script"
_PARTS = ("ground", "way_back", "packages", "account", "work")
# A script that arrived in part is never run.
_LOADER = (
    'd=$(mktemp -d /run/luytre-XXXXXX) && head -c "$1" >"$d/script" &&'
    ' [ "$(wc -c <"$d/script")" -eq "$1" ] || { rm -rf "$d"; exit 70; };'
    ' shift; exec sh "$d/script" begin "$d" "$@"'
)
# useradd(8) of Debian; sudo ignores files in sudoers.d whose names have a dot.
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PASSWORD_RUN_OUT = re.compile(rb"[Pp]assword change required|required to change your password")
_MADE = re.compile(r"user|key|sudo|package [a-z0-9][a-z0-9.+-]{1,99}")


class Message(NamedTuple):
    """A command for root, and its standard input."""

    argv: tuple[str, ...]
    stdin: bytes = b""


CONFIRM = Message(("sh", "-c", f"[ -e {_SCRIPT} ] || exec echo gone; exec sh {_SCRIPT} confirm"))
EXPIRE = Message(("sh", "-c", f"[ -e {_SCRIPT} ] || exec echo undone; exec sh {_SCRIPT} expire"))


class Ending(StrEnum):
    """How the work on the host ended, as the host says."""

    READY = "ready"
    HELD = "held"
    UNDONE = "undone"
    BROKEN = "broken"
    KILLED = "killed"


@dataclass(frozen=True)
class Told:
    """What a host told of its work; ``why`` and ``hint`` say what went wrong, in our words."""

    ending: Ending
    made: tuple[str, ...] = ()
    why: str = ""
    hint: str = ""


@cache
def _script() -> bytes:
    place = Path(__file__).with_name("on_host")
    return b"\n".join((place / f"{part}.sh").read_bytes() for part in _PARTS)


def begin(words: Sequence[str]) -> Message:
    """Return what starts the work; ``words`` are the arguments of the script's ``begin``."""
    script = _script()
    argv = ("sh", "-c", _LOADER, "luytre-bootstrap", str(len(script)), *words)
    return Message(argv, script)


def account_problem(user: str) -> str:
    """Return why ``user`` cannot be the operator's account, empty where it can."""
    if _ACCOUNT.fullmatch(user):
        return ""
    message = _("useradd does not take {user} as a name; choose another ansible_user")
    return message.format(user=quoted(user))


def understand(host: str, said: Exchange) -> Told:
    """Return what the host told of its work.

    Raises AgentError where that is no such answer, HostRefusedError where nothing can have begun.
    """
    if _PASSWORD_RUN_OUT.search(said.stderr):
        raise HostRefusedError(
            host,
            _("its password has run out"),
            hint=_("log in by hand once and set a new one"),
        )
    lines = said.stdout.decode("utf-8", "replace").splitlines()
    ends = [line for line in lines if line == "end" or line.startswith("end ")]
    if said.truncated or not ends:
        words = quoted((said.stderr or said.stdout)[-200:]) or _("nothing was said")
        raise AgentError(host, _("it did not answer: {what}").format(what=words))
    made = tuple(
        line.removeprefix("made ")
        for line in lines
        if line.startswith("made ") and _MADE.fullmatch(line.removeprefix("made "))
    )
    why, hint = _reason(lines)
    return Told(_ending(lines), made, why, hint)


def _ending(lines: Sequence[str]) -> Ending:
    for ending in (Ending.HELD, Ending.BROKEN, Ending.UNDONE, Ending.READY):
        if any(line.partition(" ")[0] == ending for line in lines):
            return ending
    return Ending.KILLED


def _reason(lines: Sequence[str]) -> tuple[str, str]:
    for line in lines:
        word, _space, rest = line.partition(" ")
        if word == "failed":
            stage, _space, rest = rest.partition(" ")
            code, _space, detail = rest.partition(" ")
            return _in_words(stage, code, quoted(detail))
    return "", ""


def _in_words(stage: str, code: str, detail: str) -> tuple[str, str]:
    """Return the sentence for a code of the script, and what to do."""
    by_hand = _("install it by hand, then run this command again")
    known = {
        "systemd": (_("systemd does not run there"), ""),
        "dpkg": (_("dpkg is not sound"), _("on the host: dpkg --audit, dpkg --configure -a")),
        "no-apt": (_("it has no apt-get, and lacks: {what}"), by_hand),
        "no-package": (
            _("apt-get cannot fetch what it lacks: {what}"),
            _("see to the host's sources of packages and proxy, or install it by hand"),
        ),
        "replaces": (_("installing would replace or remove other packages: {what}"), by_hand),
        "python": (
            _("{what} does not run, though its package is there"),
            _("install python3, or name it in ansible_python_interpreter"),
        ),
        "home-taken": (
            _("{what} is there already, without an account"),
            _("see whose it was, and move it away"),
        ),
        "no-home": (_("the home directory {what} is missing"), _("create it on the host")),
        "key-link": (_("{what} is a link"), _("replace it by a file of the user's own")),
        "sudoers": (_("visudo refuses: {what}"), _("mend it on the host: visudo")),
    }
    if code in known:
        sentence, hint = known[code]
        return sentence.format(what=detail), hint
    message = _("it failed at {stage}: {what}")
    return message.format(stage=_stage_name(stage), what=detail or "—"), ""


def _stage_name(stage: str) -> str:
    names = {
        "packages": _("packages"),
        "user": _("the account"),
        "key": _("the public key"),
        "sudo": _("the sudo rule"),
    }
    return names.get(stage, quoted(stage))


def result(host: str, told: Told) -> Bootstrapped:
    """Return the outcome of a host that did not get as far as the confirmation."""
    if told.ending is Ending.HELD:
        reason = _("another bootstrap of it is under way, or waits to take itself back")
        hint = _("try again in some minutes")
        return Bootstrapped(host, Standing.REFUSED, (), reason, hint)
    if told.ending is Ending.UNDONE:
        return Bootstrapped(host, Standing.UNDONE, (), told.why, told.hint)
    if told.ending is Ending.BROKEN:
        return Bootstrapped(host, Standing.FAILED, told.made, _broken(told.why), _see(host))
    reason = _("its work was ended from outside; it takes itself back by its timer")
    return Bootstrapped(host, Standing.FAILED, told.made, reason, _see(host))


def decided(said: Exchange) -> bool:
    """Say whether the host answered that nothing waits for a confirmation any more.

    ``gone`` may be a confirmation of ours whose answer was lost, or a host that took itself back.
    """
    return said.stdout.strip() in (b"confirmed", b"gone")


def not_confirmed(said: Exchange) -> str:
    """Return in words what a host said instead."""
    if said.stdout.strip() == b"late":
        return too_late()
    words = quoted((said.stderr or said.stdout)[-200:]) or _("nothing was said")
    return _("it did not answer: {what}").format(what=words)


def too_late() -> str:
    """Return the words for a host that did not wait for the confirmation."""
    return _("the confirmation came too late")


def taken_back(host: str, told: Told, said: Exchange, why: HostError) -> Bootstrapped:
    """Return the outcome of a host that was told to take itself back, because of ``why``."""
    lines = said.stdout.decode("utf-8", "replace").splitlines()
    if any(line.startswith("broken") for line in lines):
        return Bootstrapped(host, Standing.FAILED, told.made, _broken(why.message), _see(host))
    if "undone" not in lines:
        return Bootstrapped(host, Standing.FAILED, told.made, why.message, why.hint)
    reason = _("not confirmed: {why}").format(why=why.message)
    return Bootstrapped(host, Standing.UNDONE, (), reason, why.hint)


def not_seen_again(host: str, why: HostError, last: HostError) -> Bootstrapped:
    """Return the outcome of a host that neither confirmed nor answered any more."""
    message = _("not confirmed ({why}) and not seen again: {last}")
    reason = message.format(why=why.message, last=last.message)
    hint = _("it takes itself back as soon as the time for the confirmation is over")
    return Bootstrapped(host, Standing.UNREACHABLE, (), reason, hint)


def _broken(why: str) -> str:
    return _("{why}; not all of it could be taken back, it goes on trying").format(why=why)


def _see(host: str) -> str:
    return _("see on {host}: journalctl -u 'luytre-bootstrap*'").format(host=host)

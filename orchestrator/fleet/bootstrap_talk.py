"""What the script in ``on_host`` says, in our words. Pure.

Of what a host says only the words that the script has are believed; the rest is quoted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.fleet.ssh import Exchange
from orchestrator.fleet.sudo import password_run_out
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.errors import AgentError, HostError, HostRefusedError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

STATE = "/var/lib/luytre-bootstrap"
# useradd(8) of Debian; sudo ignores files in sudoers.d whose names have a dot.
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_MADE = re.compile(r"user|key|sudo|package [a-z0-9][a-z0-9.+-]{1,99}")


class Ending(StrEnum):
    """How the work on the host ended, as the host says."""

    READY = "ready"
    HELD = "held"
    UNDONE = "undone"
    BROKEN = "broken"
    KILLED = "killed"


@dataclass(frozen=True)
class Told:
    """What a host told of its work; ``why`` and ``hint`` say what went wrong, in our words.

    ``left`` is what of it is there still, though it went back.
    """

    ending: Ending
    made: tuple[str, ...] = ()
    why: str = ""
    hint: str = ""
    left: tuple[str, ...] = ()


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
    run_out = password_run_out(said.stderr)
    if run_out is not None:
        raise HostRefusedError(host, run_out.message, hint=run_out.hint)
    lines = _lines(said)
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
    return Told(_ending(lines), made, why, hint, _left(lines, made))


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
        "no-state": (
            _("it cannot keep what it would change in {what}"),
            _("see to room on that disk"),
        ),
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
        "ready": _("the way back"),
    }
    return names.get(stage, quoted(stage))


def result(host: str, told: Told) -> Bootstrapped:
    """Return the outcome of a host that did not get as far as the confirmation."""
    if told.ending is Ending.HELD:
        reason = _("another bootstrap of it is under way, or waits to take itself back")
        hint = _("try again in some minutes")
        return Bootstrapped(host, Standing.REFUSED, (), reason, hint)
    if told.ending is Ending.UNDONE:
        reason = _and_left(told.why, told.left)
        return Bootstrapped(host, Standing.UNDONE, told.left, reason, told.hint)
    if told.ending is Ending.BROKEN:
        return Bootstrapped(host, Standing.FAILED, told.left, _broken(told.why), _see(host))
    reason = _("its work was ended from outside; it takes itself back by its timer")
    return Bootstrapped(host, Standing.FAILED, told.made, reason, _see(host))


def stays(said: Exchange, told: Told) -> bool:
    """Say whether the host answered that all that was made stays.

    A run that is over may be a confirmation of ours whose answer was lost: then all of it is there.
    """
    lines = _lines(said)
    if "confirmed" in lines:
        return True
    return "gone" in lines and told.ending is Ending.READY and _there(lines, told.made) == told.made


def is_over(said: Exchange) -> bool:
    """Say whether the host answered that nothing of it waits any more."""
    return "gone" in _lines(said)


def not_confirmed(said: Exchange) -> str:
    """Return in words what a host said instead."""
    lines = _lines(said)
    if "late" in lines or "gone" in lines:
        return _("the confirmation came too late")
    words = quoted((said.stderr or said.stdout)[-200:]) or _("nothing was said")
    return _("it did not answer: {what}").format(what=words)


def confirmed(host: str, told: Told, problem: str, hint: str) -> Bootstrapped:
    """Return the outcome of a host that was confirmed, with what was met after that."""
    if not problem:
        return Bootstrapped(host, Standing.DONE, told.made)
    reason = _("confirmed, so all of it stays; but then: {reason}").format(reason=problem)
    return Bootstrapped(host, Standing.FAILED, told.made, reason, hint)


def taken_back(host: str, told: Told, said: Exchange, why: HostError) -> Bootstrapped:
    """Return the outcome of a host that was told to take itself back, because of ``why``."""
    lines = _lines(said)
    if any(line.startswith("broken") for line in lines):
        left = _left(lines, told.made)
        return Bootstrapped(host, Standing.FAILED, left, _broken(why.message), _see(host))
    if "undone" not in lines and "gone" not in lines:
        last = AgentError(host, not_confirmed(said))
        return not_heard(host, told, why, last)
    left = _left(lines, ()) or _there(lines, told.made)
    reason = _and_left(_("not confirmed: {why}").format(why=why.message), left)
    return Bootstrapped(host, Standing.UNDONE, left, reason, why.hint)


def not_heard(host: str, told: Told, why: HostError, last: HostError) -> Bootstrapped:
    """Return the outcome of a host that was told to go back, and did not say that it did."""
    message = _("not confirmed ({why}), and it did not say that it took itself back: {last}")
    reason = message.format(why=why.message, last=last.message)
    return Bootstrapped(host, Standing.FAILED, told.made, reason, _see(host))


def not_seen_again(host: str, why: HostError, last: HostError) -> Bootstrapped:
    """Return the outcome of a host that neither confirmed nor answered any more."""
    message = _("not confirmed ({why}) and not seen again: {last}")
    reason = message.format(why=why.message, last=last.message)
    hint = _("it takes itself back as soon as the time for the confirmation is over")
    return Bootstrapped(host, Standing.UNREACHABLE, (), reason, hint)


def _lines(said: Exchange) -> list[str]:
    """Return its lines: shells of accounts may say something of their own before."""
    return said.stdout.decode("utf-8", "replace").splitlines()


def _there(lines: Sequence[str], made: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in made if f"there {one}" in lines)


def _left(lines: Sequence[str], made: Sequence[str]) -> tuple[str, ...]:
    """Return what the host could not take back, or had to leave to others."""
    broken = {part for line in lines if line.startswith("broken ") for part in line.split()[1:]}
    kinds: list[str] = [kind for kind in ("user", "key", "sudo") if kind in broken]
    if "packages" in broken:
        kinds += [one for one in made if one.startswith("package ")]
    names = [line.removeprefix("left ") for line in lines if line.startswith("left ")]
    packages = [f"package {name}" for name in names]
    return (*kinds, *(one for one in packages if _MADE.fullmatch(one)))


def _and_left(why: str, left: Sequence[str]) -> str:
    if not left:
        return why
    names = ", ".join(one.removeprefix("package ") for one in left)
    return _("{why}; left, because others need it by now: {what}").format(why=why, what=names)


def _broken(why: str) -> str:
    return _("{why}; not all of it could be taken back, it goes on trying").format(why=why)


def _see(host: str) -> str:
    return _("see on {host}: journalctl -u 'luytre-bootstrap*'").format(host=host)

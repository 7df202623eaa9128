"""``homes``: the home directories of people, and the files in them that programs obey."""

import os
import stat

from .. import accounts, facts
from ..account_rules import has_shell
from ..host import Host, Unreadable
from ..resources import rights
from . import ByHand, Judgement, Proposal, Target, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

    from ..accounts import User

PHASE = "files"

_WORDS = {
    "directories": "homes exist, belong to their users, mode at most 0750",
    "dot_files": "dot files in homes belong to their users, mode at most 0644 (secret ones 0600)",
    "no_trust": "no .rhosts, .shosts or .forward in homes",
}
_HOME = 0o750
_FILE = 0o644
# Passwords, and what was typed, which may hold some.
_SECRET = {".netrc": 0o600, ".bash_history": 0o600, ".pgpass": 0o600, ".my.cnf": 0o600}
# They let others in without a password, or mail out.
_TRUST = (".rhosts", ".shosts", ".forward")
_SHOWN = 10


class Wrong:
    """What is wrong with one path; ``keep`` are the bits that may stay, None for people."""

    __slots__ = ("keep", "path", "told")

    def __init__(self, path: str, told: str, keep: "Optional[int]" = None) -> None:
        self.path = path
        self.told = told
        self.keep = keep


def observe(want: "Dict[str, Any]", host: Host) -> "List[Wrong]":
    """Return what breaks the rule in the homes of everybody who has a shell, root included."""
    named = want.get("except", [])
    exempt = [named] if isinstance(named, str) else named
    found: "List[Wrong]" = []
    for user in accounts.accounts(host).users:
        if has_shell(user) and user.name not in exempt:
            found += _of(user, want["rule"], host)
    return found


def judge(want: "Dict[str, Any]", observed: "List[Wrong]") -> Judgement:
    """Return whether nothing breaks it."""
    return Judgement.of(not observed, _WORDS[want["rule"]], _shown(observed) or "as wanted")


def propose(want: "Dict[str, Any]", observed: "List[Wrong]", target: Target) -> Proposal:
    """Return the paths whose permissions are taken away."""
    summary = "homes: takes permissions away: {}".format(_shown(observed))
    return Proposal(summary, ["rights:" + os.path.realpath(wrong.path) for wrong in observed])


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people whose things these are, and whether somebody needs them."""
    left = [wrong for wrong in observe(want, target.host) if wrong.keep is None]
    if left:
        raise ByHand("decide with their users: {}".format(_shown(left)))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Take permissions away."""
    for wrong in observe(want, target.host):
        if wrong.keep is not None:
            rights.change(os.path.realpath(wrong.path), keep=wrong.keep)


def _of(user: "User", rule: str, host: Host) -> "Iterator[Wrong]":
    home = user.home or "/"
    found = _status(home)
    if rule == "directories":
        if found is None or not stat.S_ISDIR(found.st_mode):
            yield Wrong(home, "the home of {} is missing".format(user.name))
        elif home != "/":
            yield from _judged(home, found, user, _HOME)
        return
    if found is None or home == "/":
        return
    for name in host.names(home) if stat.S_ISDIR(found.st_mode) else []:
        place = "{}/{}".format(home.rstrip("/"), name)
        if rule == "no_trust" and name in _TRUST:
            yield Wrong(place, "trusts others")
        elif rule == "dot_files" and name[0] == "." and name not in _TRUST:
            status = os.lstat(place) if os.path.lexists(place) else None
            if status is not None and stat.S_ISREG(status.st_mode):
                yield from _judged(place, status, user, _SECRET.get(name, _FILE))


def _judged(place: str, found: os.stat_result, user: "User", most: int) -> "Iterator[Wrong]":
    owner = facts.owner_names(found.st_uid, found.st_gid)[0]
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != user.uid:
        yield Wrong(place, "owner {}".format(owner))
    elif mode & 0o777 & ~most:
        yield Wrong(place, "mode {:04o}".format(mode), most | 0o7000)


def _status(place: str) -> "Optional[os.stat_result]":
    try:
        return os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise Unreadable("{}: {}".format(place, problem.strerror)) from None


def _shown(found: "List[Wrong]") -> str:
    told = ["{} ({})".format(printable(wrong.path), wrong.told) for wrong in found[:_SHOWN]]
    if len(found) > _SHOWN:
        told.append("… ({} in all)".format(len(found)))
    return ", ".join(told)

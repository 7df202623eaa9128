"""``shell``: what shells start with: umask, the time after which they end, root's PATH."""

import os
import stat

from .. import shell_files
from ..host import Host, Unreadable
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

PHASE = "accounts"

_SHELLS = "/etc/shells"
_GROUP_OR_OTHERS = 0o022
# What nobody but the owner's group may do with new files: write, and nothing for others.
_WANTED_UMASK = 0o027
_WORDS = {
    "umask": "new files are closed to others: umask 027 or stricter",
    "root_umask": "root's own start files loosen no umask",
    "timeout": "idle shells end after {seconds} s at most, and nobody can change that",
    "root_path": "root's PATH leads only to directories that root alone may change",
    "no_nologin": "nologin is not listed as a shell",
}
_DECISIONS = {
    "umask": "correct it there",
    "root_umask": "correct it there",
    "timeout": "correct it there",
    "root_path": "take them out of PATH, or give them to root",
}
# First of all scripts where the first readonly counts, last where the last umask does.
_DROPINS = {"timeout": "00-luytre-{}.sh", "umask": "zz-luytre-{}.sh"}


def observe(want: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return what breaks the rule, as text for people."""
    rule = want["rule"]
    if rule == "no_nologin":
        return ["{}: {}".format(_SHELLS, line) for line in _shells(host) if _is_nologin(line)]
    if rule == "timeout":
        return _timeout(want["seconds"], shell_files.login(host))
    if rule == "umask":
        return _umask(shell_files.login(host))
    statements = shell_files.of(host, shell_files.ROOT)
    if rule == "root_umask":
        return [_told(*each) for each in shell_files.umasks(statements) if _is_loose(each[1])]
    return _path([*shell_files.login(host), *statements])


def judge(want: "Dict[str, Any]", observed: "List[str]") -> Judgement:
    """Return whether nothing breaks the rule."""
    expected = _WORDS[want["rule"]].format(**want)
    return Judgement.of(not observed, expected, "; ".join(observed[:10]) or "as wanted")


def propose(want: "Dict[str, Any]", observed: "List[str]", target: Target) -> Proposal:
    """Return the file to write."""
    place, text = _file(want, target)
    before = (target.host.read(place) or b"").decode("utf-8", "surrogateescape")
    resources = ["path:" + parent for parent in path.missing_parents(place)]
    diff = unified(place, before, text)
    return Proposal("shell: writes {}".format(place), [*resources, "path:" + place], (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what would still win over ours."""
    rule = want["rule"]
    if rule == "no_nologin":
        return
    left = observe(want, target.host)
    if rule in _DROPINS:
        place, text = _file(want, target)
        kept = [s for s in shell_files.login(target.host) if s.place != place]
        ours = list(shell_files.parse(text, place))
        first = [s for s in kept if s.place < place or not s.place.startswith("/etc/profile.d/")]
        future = [*first, *ours, *(s for s in kept if s not in first)]
        left = _timeout(want["seconds"], future) if rule == "timeout" else _umask(future)
    if left:
        raise ByHand("{}: {}".format("; ".join(left[:10]), _DECISIONS[rule]))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write our script, or the list of shells without nologin."""
    place, text = _file(want, target)
    path.make_parents(place)
    path.rewrite(place, text.encode("utf-8", "surrogateescape"), root_file())


def _file(want: "Dict[str, Any]", target: Target) -> "Tuple[str, str]":
    """Return place and text of what is written."""
    rule = want["rule"]
    if rule == "no_nologin":
        kept = [line for line in _shells(target.host) if not _is_nologin(line)]
        return os.path.realpath(_SHELLS), "\n".join(kept)
    name = _DROPINS.get(rule)
    if name is None:
        raise ByHand("{}: {}".format("; ".join(observe(want, target.host)), _DECISIONS[rule]))
    text = "umask 027\n"
    if rule == "timeout":
        text = "TMOUT={}\nreadonly TMOUT\nexport TMOUT\n".format(want["seconds"])
    head = "# Managed by luytre (control {}).\n".format(target.slot)
    return "{}/{}".format(shell_files.PROFILE_D, name.format(target.slot)), head + text


def _shells(host: Host) -> "List[str]":
    return (host.read(_SHELLS) or b"").decode("utf-8", "surrogateescape").split("\n")


def _is_nologin(line: str) -> bool:
    return line.partition("#")[0].strip().endswith("/nologin")


def _timeout(seconds: int, statements: "List[shell_files.Statement]") -> "List[str]":
    """Return what is wrong with TMOUT: the first readonly keeps its value."""
    value, flags, last = "", "", None
    for statement in statements:
        for name, given, more in shell_files.assignments(statement):
            if name == "TMOUT":
                if "r" not in flags:
                    value = value if given is None else given
                    last = statement
                    flags += more.replace("x", "") if more else ""
                flags += "x" if "x" in more else ""
        if statement.words[:2] == ["unset", "TMOUT"] and "r" not in flags:
            value, flags, last = "", "", statement
    if last is None:
        return ["TMOUT is not set"]
    number = int(value) if value.isdecimal() else 0
    if not 0 < number <= seconds:
        return ["TMOUT is {} ({}, line {})".format(value or "empty", last.place, last.number)]
    if "r" not in flags:
        return ["TMOUT can be changed ({}, line {})".format(last.place, last.number)]
    told = "TMOUT is not exported ({}, line {})".format(last.place, last.number)
    return [] if "x" in flags else [told]


def _umask(statements: "List[shell_files.Statement]") -> "List[str]":
    """Return what is wrong: the last one of a login counts, and each one of bash.bashrc."""
    found = list(shell_files.umasks(statements))
    if not found:
        return ["no start file of the shells sets a umask"]
    loose = [each for each in found[:-1] if each[0].place == shell_files.BASHRC]
    return [_told(*each) for each in [*loose, found[-1]] if _is_loose(each[1])]


def _is_loose(value: "Optional[int]") -> bool:
    return value is None or value & _WANTED_UMASK != _WANTED_UMASK


def _told(statement: shell_files.Statement, value: "Optional[int]") -> str:
    return "{} ({})".format(" ".join(statement.words), statement.told)


def _path(statements: "List[shell_files.Statement]") -> "List[str]":
    """Return the parts of every PATH that others could put programs into."""
    problems: "List[str]" = []
    for statement in statements:
        for name, value, _flags in shell_files.assignments(statement):
            if name == "PATH" and value is not None:
                for part in value.split(":"):
                    wrong = _insecure(part.replace("$HOME", "/root").replace("~", "/root"))
                    if wrong:
                        problems.append("{} {} ({})".format(part or "''", wrong, statement.told))
    return problems


def _insecure(part: str) -> str:
    """Return what is wrong with one part of a PATH; what is not there harms nobody."""
    if part in ("$PATH", "${PATH}"):
        return ""
    if not part.startswith("/"):
        return "is not absolute"
    try:
        found = os.stat(part)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as problem:
        raise Unreadable("{}: {}".format(part, problem.strerror)) from None
    if found.st_uid != 0:
        return "belongs to somebody else"
    if found.st_mode & _GROUP_OR_OTHERS or not stat.S_ISDIR(found.st_mode):
        return "may be written by others"
    return ""

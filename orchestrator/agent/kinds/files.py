"""``files``: permissions, owner and group of all files that a pattern stands for."""

import os
import stat

from .. import facts, mounts, patterns
from ..host import Host, Unreadable
from ..resources import rights
from . import ByHand, Judgement, Proposal, Target, listed, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple

PHASE = "files"

# Debian Policy 9.2.2: below are the system's own accounts and groups, from here on people's.
_PEOPLE = 1000
_LIMIT = 20000
_CHANGED = 500


class Thing:
    """One file: the path by which it was found, its ``real`` one, and how it is dressed."""

    __slots__ = ("gid", "group", "links", "mode", "owner", "path", "real", "uid")

    def __init__(self, path: str, real: str, found: os.stat_result, names: "List[str]") -> None:
        self.path = path
        self.real = real
        self.mode = stat.S_IMODE(found.st_mode)
        self.links = 1 if stat.S_ISDIR(found.st_mode) else found.st_nlink
        self.uid, self.gid = found.st_uid, found.st_gid
        self.owner, self.group = names


def observe(want: "Dict[str, Any]", host: Host) -> "List[Thing]":
    """Return every file of the wanted type that the patterns stand for."""
    isright = stat.S_ISDIR if want.get("type") == "directory" else stat.S_ISREG
    excluded = want.get("exclude", [])
    names: "Dict[Tuple[int, int], List[str]]" = {}
    found: "Dict[str, Thing]" = {}
    for pattern in want["paths"]:
        for path, real in _find(pattern, host):
            status = _status(real)
            if status is None or not isright(status.st_mode):
                continue
            if patterns.any_matches(excluded, path):
                continue
            who = (status.st_uid, status.st_gid)
            if who not in names:
                names[who] = facts.owner_names(*who)
            # By its own name, or else by the first of those that links give it.
            if real not in found or path == real or path < found[real].path != real:
                found[real] = Thing(path, real, status, names[who])
            if len(found) > _LIMIT:
                raise Unreadable("{}: more than {} files".format(pattern, _LIMIT))
    return [found[real] for real in sorted(found)]


def judge(want: "Dict[str, Any]", observed: "List[Thing]") -> Judgement:
    """Return whether all of them are as wanted; where there is none, none is wrong."""
    wrong = _wrong(want, observed)
    expected = "{}: {}".format(", ".join(want["paths"]), _wanted(want))
    seen = _told(wrong) if wrong else ("all as wanted" if observed else "nothing there")
    return Judgement.of(not wrong, expected, seen)


def propose(want: "Dict[str, Any]", observed: "List[Thing]", target: Target) -> Proposal:
    """Return the files to change."""
    wrong = _wrong(want, observed)
    resources = ["rights:" + thing.real for thing in wrong]
    return Proposal("{}: {}".format(_wanted(want), _told(wrong)), resources)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what belongs to somebody, has other names, or is too much at once."""
    wrong = _wrong(want, observe(want, target.host))
    if len(wrong) > _CHANGED:
        raise ByHand("they are too many to be changed unseen: {}".format(_told(wrong)))
    for thing in wrong:
        if printable(thing.path) != thing.path:
            raise ByHand("the name is not in UTF-8: {}".format(printable(thing.path)))
        if thing.links > 1:
            raise ByHand("{} has other names elsewhere (hard links)".format(thing.path))
        if _to_whom(want, thing) is None:
            told = (thing.path, thing.owner, thing.group)
            raise ByHand("{} belongs to {}:{}: decide whose it should be".format(*told))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Take permissions away and give the files to whom they should belong."""
    keep = int(want.get("mode_at_most", "7777"), 8)
    for thing in _wrong(want, observe(want, target.host)):
        owner = _to_whom(want, thing)
        if owner is not None:
            rights.change(thing.real, keep=keep, uid=owner[0], gid=owner[1])


def _wrong(want: "Dict[str, Any]", observed: "List[Thing]") -> "List[Thing]":
    beyond = 0o7777 & ~int(want.get("mode_at_most", "7777"), 8)
    return [
        thing
        for thing in observed
        if thing.mode & beyond
        or not _owner_is_right(want, thing)
        or not _group_is_right(want, thing)
    ]


def _owner_is_right(want: "Dict[str, Any]", thing: Thing) -> bool:
    asked = "owner" in want or want.get("system")
    system = bool(want.get("system")) and thing.uid < _PEOPLE
    return not asked or system or thing.owner in _names(want, "owner")


def _group_is_right(want: "Dict[str, Any]", thing: Thing) -> bool:
    asked = "group" in want or want.get("system")
    system = bool(want.get("system")) and thing.gid < _PEOPLE
    return not asked or system or thing.group in _names(want, "group")


def _to_whom(want: "Dict[str, Any]", thing: Thing) -> "Optional[Tuple[int, int]]":
    """Return (user, group) that a file should belong to; None where nothing says so."""
    uid = thing.uid if _owner_is_right(want, thing) else _uid(want)
    gid = thing.gid if _group_is_right(want, thing) else _gid(want)
    return None if uid is None or gid is None else (uid, gid)


def _uid(want: "Dict[str, Any]") -> "Optional[int]":
    names = _names(want, "owner")
    return facts.uid(names[0]) if names else None


def _gid(want: "Dict[str, Any]") -> "Optional[int]":
    names = _names(want, "group")
    return facts.gid(names[0]) if names else None


def _names(want: "Dict[str, Any]", key: str) -> "List[str]":
    names = want.get(key, [])
    return [names] if isinstance(names, str) else list(names)


def _wanted(want: "Dict[str, Any]") -> str:
    parts = ["mode at most " + want["mode_at_most"]] if "mode_at_most" in want else []
    system = ["the system's own"] if want.get("system") else []
    for key in ("owner", "group"):
        accepted = _names(want, key) + system
        if accepted:
            parts.append("{} {}".format(key, " or ".join(accepted)))
    return ", ".join(parts)


def _told(things: "List[Thing]") -> str:
    told = ["{} ({:04o} {}:{})".format(printable(t.path), t.mode, t.owner, t.group) for t in things]
    return listed(told, ", ")


def _find(pattern: str, host: Host) -> "Iterator[Tuple[str, str]]":
    """Yield (path, real path) of what a pattern stands for.

    Links are followed on the way to it and where it names one, never below ``**``.
    """
    base, parts = patterns.split(pattern)
    pending = [(base, os.path.realpath(base), parts)]
    while pending:
        named, real, parts = pending.pop()
        if patterns.is_plain(parts[0]) and len(parts) == 1:
            yield os.path.join(named, parts[0]), os.path.realpath(os.path.join(real, parts[0]))
            continue
        deep = parts[0] == patterns.ANY
        for entry in _entries(real, host):
            path, place = os.path.join(named, entry.name), os.path.join(real, entry.name)
            if entry.is_symlink():
                if deep:
                    continue
                place = os.path.realpath(place)
            if not deep and not patterns.name_matches(parts[0], entry.name):
                continue
            if deep or len(parts) == 1:
                yield path, place
            if (deep or len(parts) > 1) and entry.is_dir():
                pending.append((path, place, parts if deep else parts[1:]))


def _entries(directory: str, host: Host) -> "List[os.DirEntry[str]]":
    """Return what a directory holds; one that is not of this machine holds nothing for us."""
    mount = mounts.visible(host).get(directory)
    if mount is not None and mount.type not in mounts.LOCAL:
        return []
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as problem:
        raise Unreadable("{}: {}".format(directory, problem.strerror)) from None


def _status(real: str) -> "Optional[os.stat_result]":
    try:
        return os.lstat(real)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise Unreadable("{}: {}".format(real, problem.strerror)) from None

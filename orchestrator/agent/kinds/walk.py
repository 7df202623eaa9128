"""``walk``: what should be nowhere, found by one walk over the local file systems."""

import stat

from .. import facts, patterns, walking
from ..host import Host
from ..resources import rights
from . import ByHand, Judgement, Proposal, Target, digest, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Dict, FrozenSet, List, Set, Tuple

PHASE = "files"

# Of what is found, so many are kept, the first by name; all are counted.
_KEPT = 1000
_SHOWN = 10
# More than these, people should look at first.
_CHANGED = 200
_SET_ID = stat.S_ISUID | stat.S_ISGID
_MEANT = {
    "set-id": "no SUID or SGID programs but the allowed ones",
    "writable-files": "no files that everybody may write",
    "writable-directories": "no directories where everybody may delete the files of others",
    "unowned": "no files without an owner or a group",
}
_DOES = {
    "writable-files": "takes everybody's right to write away",
    "writable-directories": "sets the sticky bit",
}
_DECIDE = {
    "set-id": "decide whether they may stay so: chmod, or the profile's list of allowed ones",
    "unowned": "decide whose they are",
}
_BITS = {
    "set-id": _SET_ID,
    "writable-files": stat.S_IWOTH,
    "writable-directories": stat.S_IWOTH,
    "unowned": 0,
}
# Directories that systems with a merged /usr reach by links only.
_MERGED = ("/bin/", "/sbin/", "/lib")


class Found:
    """What a walk found for one wish: the first of them, and how many there are.

    ``sum`` tells all of them apart from every other finding, in whatever order they were found.
    """

    __slots__ = ("count", "sum", "things")

    def __init__(self) -> None:
        self.things: "List[Tuple[str, int, int, int]]" = []
        self.count = 0
        self.sum = 0

    def add(self, path: str, status: "os.stat_result") -> None:
        """Take in one more."""
        thing = (path, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
        self.count += 1
        self.sum = (self.sum + int(digest("{} {:o} {} {}".format(*thing)), 16)) % (1 << 128)
        self.things.append(thing)
        if len(self.things) > 2 * _KEPT:
            self.things = sorted(self.things)[:_KEPT]

    @property
    def paths(self) -> "List[str]":
        """Return the first paths, sorted."""
        return [thing[0] for thing in sorted(self.things)[:_KEPT]]


def prepare(wants: "List[Dict[str, Any]]", host: Host) -> None:
    """Let one walk look for everything that will be asked for."""
    host.once("walk-wants", lambda: wants)


def observe(want: "Dict[str, Any]", host: Host) -> Found:
    """Return what of the wanted sort there is, without what is allowed."""
    wants = host.once("walk-wants", lambda: [want])
    if want not in wants:
        return _walked([want], host)[0]
    found = host.once("walk", lambda: _walked(wants, host))
    return found[wants.index(want)]  # type: ignore[no-any-return]


def judge(want: "Dict[str, Any]", observed: Found) -> Judgement:
    """Return whether nothing of the sort was found."""
    return Judgement.of(observed.count == 0, _MEANT[want["find"]], _told(observed) or "none")


def propose(want: "Dict[str, Any]", observed: Found, target: Target) -> Proposal:
    """Return the permissions to change."""
    resources = ["rights:" + path for path in observed.paths]
    return Proposal("{}: {}".format(_DOES.get(want["find"], ""), _told(observed)), resources)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what has more than one right answer, and what is too much at once."""
    observed = observe(want, target.host)
    if want["find"] in _DECIDE:
        raise ByHand("{}: {}".format(_DECIDE[want["find"]], _told(observed)))
    if observed.count > _CHANGED:
        raise ByHand("they are too many to be changed unseen: {}".format(_told(observed)))
    odd = [path for path in observed.paths if printable(path) != path]
    if odd:
        raise ByHand("the name is not in UTF-8: {}".format(printable(odd[0])))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Take everybody's right to write away from files; set the sticky bit of directories."""
    for path in observe(want, target.host).paths:
        if want["find"] == "writable-files":
            rights.change(path, keep=0o7777 & ~stat.S_IWOTH)
        else:
            rights.change(path, add=stat.S_ISVTX)


class _Search:
    """Sorts what the walk takes up, for several wishes at once."""

    def __init__(self, wants: "List[Dict[str, Any]]", host: Host) -> None:
        self.wants = wants
        self.found = [Found() for _ in wants]
        self.owners = _Owners(host)
        skipped = [frozenset(want.get("skip", ())) for want in wants]
        bits = 0
        for want in wants:
            bits |= _BITS[want["find"]]
        owned = any(want["find"] == "unowned" for want in wants)
        self.interest = walking.Interest(bits, owned, self.take, frozenset.intersection(*skipped))

    def take(self, path: str, status: "os.stat_result", flags: "FrozenSet[str]") -> None:
        """Add a file or directory to the wishes that it concerns."""
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return
        for index, want in enumerate(self.wants):
            if self._concerns(want["find"], status, flags) and not _allowed(want, path):
                self.found[index].add(path, status)

    def _concerns(self, sort: str, status: "os.stat_result", flags: "FrozenSet[str]") -> bool:
        mode = status.st_mode
        if sort == "unowned":
            return not self.owners.known(status, self.interest)
        if sort == "set-id":
            return bool(stat.S_ISREG(mode) and mode & _SET_ID) and "nosuid" not in flags
        if not mode & stat.S_IWOTH or "ro" in flags:
            return False
        if sort == "writable-files":
            return stat.S_ISREG(mode)
        return stat.S_ISDIR(mode) and not mode & stat.S_ISVTX


class _Owners:
    """Which numbers have an owner: an account, or one to whom they were lent (subuid(5))."""

    def __init__(self, host: Host) -> None:
        self._lent = [_lent(host, "/etc/subuid"), _lent(host, "/etc/subgid")]
        self._unknown: "Tuple[Set[int], Set[int]]" = (set(), set())

    def known(self, status: "os.stat_result", interest: walking.Interest) -> bool:
        """Return whether owner and group exist; what is known is not asked for again."""
        user = self._one(0, status.st_uid, interest.users)
        return self._one(1, status.st_gid, interest.groups) and user

    def _one(self, which: int, number: int, known: "Set[int]") -> bool:
        if number in known:
            return True
        if number in self._unknown[which]:
            return False
        lent = any(start <= number < end for start, end in self._lent[which])
        if lent or _exists(which, number):
            known.add(number)
            return True
        self._unknown[which].add(number)
        return False


def _exists(which: int, number: int) -> bool:
    import grp
    import pwd

    try:
        if which == 0:
            pwd.getpwuid(number)
        else:
            grp.getgrgid(number)
    except KeyError:
        return False
    return True


def _lent(host: Host, place: str) -> "List[Tuple[int, int]]":
    found = []
    for line in (host.read(place) or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit():
            found.append((int(fields[1]), int(fields[1]) + int(fields[2])))
    return found


def _walked(wants: "List[Dict[str, Any]]", host: Host) -> "List[Found]":
    search = _Search(wants, host)
    walking.walk(host, search.interest)
    return search.found


def _allowed(want: "Dict[str, Any]", path: str) -> bool:
    accepted = want.get("allowed", [])
    merged = "/usr" + path if path.startswith(_MERGED) else path
    skipped = any(path.startswith(place + "/") or path == place for place in want.get("skip", ()))
    return skipped or patterns.any_matches(accepted, path) or path in accepted or merged in accepted


def _told(found: Found) -> str:
    """Return the first of what was found, for people; empty where there is nothing."""
    told = []
    for path, mode, uid, gid in sorted(found.things)[:_SHOWN]:
        owner = ":".join(facts.owner_names(uid, gid))
        told.append("{} ({:04o} {})".format(printable(path), mode, owner))
    if found.count > _SHOWN:
        told.append("… ({} in all, digest {:032x})".format(found.count, found.sum))
    return ", ".join(told)

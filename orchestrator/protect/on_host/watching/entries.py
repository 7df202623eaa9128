"""AIDE's databases, read as what they are: a line for each file. Pure."""

import base64
import binascii
import hashlib
from urllib.parse import unquote_to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Sequence

# The inode says nothing, the size no more than the hash; a directory's size is its file system's.
_COMPARED = ("lname", "perm", "uid", "gid", "sha256")
# Where AIDE's settings ask for them. What was accepted before they did says nothing of them.
_MORE = ("acl", "xattrs", "capabilities")
DIFFERENCES = {
    "lname": "link",
    "perm": "mode",
    "uid": "owner",
    "gid": "group",
    "sha256": "content",
    "acl": "access list",
    "xattrs": "attributes",
    "capabilities": "capabilities",
}
NOTHING = "0"
# What an intruder would change first is told first: names by their beginnings, the longest counts.
_WEIGHTS = {
    "/etc/": 1,
    "/usr/": 2,
    "/opt/": 3,
    "/usr/bin/": 0,
    "/usr/sbin/": 0,
    "/usr/local/": 1,
    "/usr/lib/systemd/": 0,
    "/usr/lib/security/": 0,
    "/usr/share/": 3,
    "/usr/src/": 3,
    "/root/": 0,
    "/var/spool/cron": 0,
    "/etc/cron": 0,
    "/etc/ld.so": 0,
    "/etc/pam.d/": 0,
    "/etc/ssh/": 0,
    "/etc/sudoers": 0,
    "/etc/systemd/": 0,
    "/etc/alternatives/": 2,
    "/etc/ssl/certs/": 2,
}
_BEGINNINGS = sorted(_WEIGHTS, key=len, reverse=True)


class _Database:
    """What stands of each path (as AIDE quotes it), and which columns say so."""

    def __init__(self, text: str) -> None:
        self.columns: "Dict[str, int]" = {}
        self.found: "Dict[str, List[str]]" = {}
        whole = False
        for line in text.splitlines():
            if line.startswith("@@db_spec "):
                names = line.split()[1:]
                known = [name for name in (*_COMPARED, *_MORE) if name in names]
                self.columns = {name: names.index(name) for name in known}
            elif line.startswith("@@end_db"):
                whole = True
            elif line.startswith("/"):
                fields = line.split(" ")
                self.found[fields[0]] = [fields[at] for at in self.columns.values()]
        if not whole or not set(_COMPARED) <= set(self.columns):
            raise ValueError("not a whole database of AIDE")

    def told(self, path: str) -> "Dict[str, str]":
        """Return by column what stands of a path."""
        fields = self.found[path]
        return {name: fields[number] for number, name in enumerate(self.columns)}


def changes(before: str, now: str) -> "List[Dict[str, str]]":
    """Return what differs between two databases, the gravest first; raises ValueError.

    Of each: ``path`` (as AIDE quotes it), ``change`` (added, removed, changed), ``detail`` (in what
    it differs), and ``state`` (see :func:`state`).
    """
    was, is_ = _Database(before), _Database(now)
    # Most files are as they were: lines first, columns where these differ.
    same_form = list(was.columns.items()) == list(is_.columns.items())
    told = []
    for path in set(was.found) | set(is_.found):
        if path not in was.found:
            told.append(_told(path, "added", _state_of(is_.told(path))))
        elif path not in is_.found:
            told.append(_told(path, "removed", GONE))
        elif not same_form or was.found[path] != is_.found[path]:
            old, new = was.told(path), is_.told(path)
            different = [name for name in old if name in new and old[name] != new[name]]
            if different:
                words = ", ".join(DIFFERENCES[name] for name in different)
                told.append(dict(_told(path, "changed", _state_of(new)), detail=words))
    return sorted(told, key=lambda one: (weight(one["path"]), one["path"]))


def weight(path: str) -> int:
    """Return how grave it is that a file changed: 0 before 1."""
    return next((_WEIGHTS[each] for each in _BEGINNINGS if path.startswith(each)), 1)


def state(stands: "Sequence[str]") -> str:
    """Return a digest of how a file stands there, nothing for one that does not.

    ``stands`` is its link's target, mode, owner, group, content and, where it has one, its access
    list and its extended attributes, as AIDE writes them but for what it quotes.
    """
    whole = "\0".join(stands).rstrip("\0")
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:32]


# What is told of a file that does not stand there.
GONE = state(())


def plain(quoted: str) -> str:
    """Return a path as the file system has it."""
    if "%" not in quoted:
        return quoted
    return unquote_to_bytes(quoted).decode("utf-8", "surrogateescape")


def _state_of(told: "Dict[str, str]") -> str:
    stands = [plain(told["lname"]), *(told[name] for name in _COMPARED[1:])]
    # Capabilities are an attribute: they count by themselves only where attributes are not told.
    attributes = told.get("xattrs", told.get("capabilities", NOTHING))
    more = (_access(told.get("acl", NOTHING)), attributes if attributes != NOTHING else "")
    return state([*stands, *more])


def _access(acl: str) -> str:
    """Return an access list where it says more than the mode does."""
    try:
        kind, access, default = acl.split(",")
        entries = base64.b64decode(access).split(b"\n")
    except (ValueError, binascii.Error):
        return "" if acl == NOTHING else acl
    of_mode = (b"user::", b"group::", b"other::")
    extended = any(one and not one.startswith(of_mode) for one in entries)
    return acl if kind != "POSIX" or extended or default != NOTHING else ""


def _told(path: str, change: str, stands: str) -> "Dict[str, str]":
    return {"path": path, "change": change, "detail": "", "state": stands}

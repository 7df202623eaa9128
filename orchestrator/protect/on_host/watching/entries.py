"""AIDE's databases, read as what they are: a line for each file. Pure."""

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

# The inode says nothing, the size no more than the hash; a directory's size is its file system's.
_COMPARED = ("lname", "perm", "uid", "gid", "sha256")
_LONGEST = 300
_WORDS = {"lname": "link", "perm": "mode", "uid": "owner", "gid": "group", "sha256": "content"}


def entries(database: str) -> "Dict[str, Tuple[str, ...]]":
    """Return what stands of each path (as AIDE quotes it); raises ValueError for no database."""
    columns: "List[int]" = []
    found = {}
    whole = False
    for line in database.splitlines():
        if line.startswith("@@db_spec "):
            names = line.split()[1:]
            columns = [names.index(name) for name in _COMPARED]
        elif line.startswith("@@end_db"):
            whole = True
        elif line.startswith("/"):
            fields = line.split(" ")
            found[fields[0]] = tuple(fields[column] for column in columns)
    if not whole or not columns:
        raise ValueError("not a whole database of AIDE")
    return found


def changes(before: str, now: str) -> "List[Dict[str, str]]":
    """Return what differs between two databases, by path.

    Of each: ``path``, ``change`` (added, removed, changed), ``detail`` (in what it differs), and
    ``state``, which is another one for each way in which the file may stand there now.
    """
    was, is_ = entries(before), entries(now)
    told = []
    for path in sorted(set(was) | set(is_)):
        if path not in was:
            told.append(_told(path, "added", is_[path]))
        elif path not in is_:
            told.append(_told(path, "removed", ()))
        elif was[path] != is_[path]:
            different = [
                _WORDS[name]
                for number, name in enumerate(_COMPARED)
                if was[path][number] != is_[path][number]
            ]
            told.append(dict(_told(path, "changed", is_[path]), detail=", ".join(different)))
    return told


def _told(path: str, change: str, now: "Tuple[str, ...]") -> "Dict[str, str]":
    state = hashlib.sha256(" ".join(now).encode("utf-8")).hexdigest()[:16]
    return {"path": path[:_LONGEST], "change": change, "detail": "", "state": state}

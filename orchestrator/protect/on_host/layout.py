"""What may lie in a repository, and what of it does not belong there."""

import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Set, Tuple

CONFIG = "config"
_FILE = re.compile(r"config|data/([0-9a-f]{2})/\1[0-9a-f]{62}|(index|snapshots|keys)/[0-9a-f]{64}")
_DIRECTORY = re.compile(r"data(/[0-9a-f]{2})?|index|snapshots|keys|locks")
# Locks come and go, and no pass can miss one.
_LOCK = re.compile(r"locks/[0-9a-f]{64}")
# What belongs to root: the client reads it only.
_ROOTS = re.compile(r"config|keys(/.*)?")


def walk(place: str, uid: int) -> "Tuple[Dict[str, os.stat_result], List[Tuple[str, str]]]":
    """Return the files of a repository by path, and what is odd in it: path and kind.

    ``uid`` is the client's. Kinds: ``junk`` (no such name belongs there), ``link``, ``special``
    (device, pipe, socket), ``owner`` (somebody else's). Raises OSError.
    """
    files: "Dict[str, os.stat_result]" = {}
    odd = []
    for directory, directories, names in os.walk(place, onerror=_raise):
        for name in [*directories, *names]:
            path = os.path.relpath(os.path.join(directory, name), place)
            try:
                seen = os.lstat(os.path.join(directory, name))
            except FileNotFoundError:
                continue  # a lock, or what rclone did not end
            kind = _oddity(path, seen, uid)
            if kind is not None:
                odd.append((path, kind))
            if kind in (None, "owner") and _FILE.fullmatch(path):
                files[path] = seen
    return files, odd


def names(place: str) -> "Set[str]":
    """Return the paths of all files of a repository that belong there. Raises OSError."""
    return set(walk(place, 0)[0])


def snapshots(place: str) -> "Dict[str, float]":
    """Return the names of the snapshots and when each came (seconds since 1970, our clock)."""
    found = {}
    for entry in os.scandir(os.path.join(place, "snapshots")):
        if _FILE.fullmatch("snapshots/" + entry.name):
            found[entry.name] = entry.stat(follow_symlinks=False).st_mtime
    return found


def newest_lock(place: str) -> "Optional[float]":
    """Return when the youngest lock of a client came (seconds since 1970), if there is one."""
    found = []
    for entry in os.scandir(os.path.join(place, "locks")):
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # given back meanwhile
        if seen.st_uid != 0:
            found.append(seen.st_mtime)
    return max(found) if found else None


def _oddity(path: str, seen: os.stat_result, uid: int) -> "Optional[str]":
    if stat.S_ISLNK(seen.st_mode):
        return "link"
    if stat.S_ISDIR(seen.st_mode):
        known = _DIRECTORY.fullmatch(path)
    elif stat.S_ISREG(seen.st_mode):
        known = _FILE.fullmatch(path) or _LOCK.fullmatch(path)
    else:
        return "special"
    if known is None:
        return "junk"
    wanted = 0 if _ROOTS.fullmatch(path) else uid
    return None if seen.st_uid == wanted or _LOCK.fullmatch(path) else "owner"


def _raise(problem: OSError) -> None:
    raise problem

"""Bring parts of a backup back into a directory of their own: nothing that is there is touched."""

import os
import re

from . import restic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

LATEST = "latest"
_SNAPSHOT = re.compile(r"latest|[0-9a-f]{8,64}")
_PART = re.compile(r"[A-Za-z0-9_.$/-]+")


class RestoreError(Exception):
    """Nothing was restored, or not all of it; the text says why."""


def restore(wish: "Dict[str, Any]") -> "Dict[str, Any]":
    """Restore a part of a snapshot (or of the latest one that has it) below a fresh directory.

    ``wish``: ``snapshot``, ``part``, ``paths`` (all for none), ``target``. Returns the snapshot,
    files and bytes. Raises RestoreError, restic.ResticError.
    """
    snapshot, part, target = wish["snapshot"], wish["part"], wish["target"]
    if not _SNAPSHOT.fullmatch(snapshot) or not _PART.fullmatch(part):
        raise RestoreError("not a snapshot and a part: {} {}".format(snapshot, part))
    way = restic.Vault.own()
    found = _found(way, snapshot, part)
    fresh = _fresh(target)
    includes = [word for path in wish["paths"] for word in ("--include", path)]
    try:
        way.ask("--no-lock", "restore", found, "--target", target, *includes)
        files, size = _counted(target)
    finally:
        if fresh and not os.listdir(target):
            os.rmdir(target)
    if not files:
        raise RestoreError("the snapshot holds none of: {}".format(", ".join(wish["paths"])))
    return {"state": "restored", "snapshot": found, "files": files, "bytes": size}


def _found(way: restic.Vault, snapshot: str, part: str) -> str:
    """Return the id of the snapshot of this part; raises RestoreError where there is none."""
    found: "List[Dict[str, Any]]" = way.snapshots()
    mine = [one for one in found if restic.PART + part in (one.get("tags") or [])]
    if snapshot != LATEST:
        mine = [one for one in mine if one["id"].startswith(snapshot)]
    if not mine:
        tags = {tag for one in found for tag in one.get("tags") or []}
        known = sorted(tag[len(restic.PART) :] for tag in tags if tag.startswith(restic.PART))
        told = "the vault has no such snapshot of {} (it has: {})"
        raise RestoreError(told.format(part, ", ".join(known) or "nothing"))
    return str(max(mine, key=lambda one: str(one["time"]))["id"])


def _fresh(target: str) -> bool:
    """Make the directory to restore into, or take an empty one; return whether it was made."""
    if not os.path.isabs(target):
        raise RestoreError("not an absolute path: {}".format(target))
    if os.path.islink(target) or (os.path.exists(target) and not os.path.isdir(target)):
        raise RestoreError("{} is there, and no directory".format(target))
    if os.path.isdir(target):
        if os.listdir(target):
            raise RestoreError("{} is there, and not empty: nothing was restored".format(target))
        return False
    os.makedirs(target, mode=0o700)
    return True


def _counted(target: str) -> "Any":
    files, size = 0, 0
    for directory, _directories, names in os.walk(target):
        for name in names:
            files += 1
            size += os.lstat(os.path.join(directory, name)).st_size
    return files, size

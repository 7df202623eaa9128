"""Files that were taken away: moved, never deleted, with all that is needed to bring them back.

Each has a directory of its own, root's alone: ``content``, and ``about.json`` with path, owner,
mode, times, extended attributes and SHA-256.
"""

import contextlib
import hashlib
import os
import re
import shutil
import time

from .. import places
from . import contents, layout, left_alone, paths
from .detection import detection, of_kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_NAME = re.compile(r"[0-9a-f]{16}")
# Nobody's files fill the disk by the quarantine: so much of one owner is kept, and so many.
_MOST_OF_OWNER = 2 << 30
_MOST_FILES_OF_OWNER = 1000
# Of what is kept, so many are told with each answer.
_MOST_TOLD = 500


class QuarantineError(Exception):
    """A file was not moved; the text says why."""


class Shares:
    """How much is kept of each owner, counted once and from then on with every file."""

    def __init__(self) -> None:
        self._files: "Dict[int, int]" = {}
        self._bytes: "Dict[int, int]" = {}
        for one in kept():
            self.add(int(one["uid"]), int(one["size"]))

    def add(self, uid: int, size: int) -> None:
        """Count a file that is kept."""
        self._files[uid] = self._files.get(uid, 0) + 1
        self._bytes[uid] = self._bytes.get(uid, 0) + size

    def require(self, uid: int, size: int) -> None:
        """Raise QuarantineError where an owner has its share."""
        bytes_ = self._bytes.get(uid, 0) + size
        if bytes_ > _MOST_OF_OWNER or self._files.get(uid, 0) >= _MOST_FILES_OF_OWNER:
            raise QuarantineError("left alone: as much is kept of this owner as may be")


def take(entry: "paths.Entry", descriptor: int, signature: str, shares: Shares) -> "Dict[str, Any]":
    """Move the open file away; return what is kept of it.

    Raises QuarantineError where it is left alone, or where its name stands for another file by now.
    """
    seen = os.fstat(descriptor)
    shares.require(seen.st_uid, seen.st_size)
    why = left_alone.reason(entry, seen)
    if why:
        raise QuarantineError("left alone: " + why)
    name = hashlib.sha256(os.urandom(16)).hexdigest()[:16]
    try:
        contents.require_room(places.directory(layout.QUARANTINE), seen.st_size)
        directory = places.directory(os.path.join(layout.QUARANTINE, name))
        about = _kept_from(entry, descriptor, detection(entry.path, signature, seen, ""), directory)
    except contents.ContentError as problem:
        raise QuarantineError("left alone: {}".format(problem)) from problem
    shares.add(seen.st_uid, seen.st_size)
    return dict(about, name=name)


def tidy() -> None:
    """Delete what a take that did not end has left."""
    for name in _names():
        if not os.path.exists(_about(name)):
            shutil.rmtree(os.path.join(layout.QUARANTINE, name))


def kept() -> "List[Dict[str, Any]]":
    """Return what is kept, the oldest first."""
    found = []
    for name in _names():
        with contextlib.suppress(OSError, ValueError):
            found.append(dict(places.load(_about(name)), name=name))
    return sorted(found, key=lambda one: float(one["at"]))


def count() -> int:
    """Return how many files are kept."""
    return sum(os.path.exists(_about(name)) for name in _names())


def taken() -> "List[Dict[str, Any]]":
    """Return the detections of what is kept, the newest; they are known even where no scan ended.

    What was taken by an older program does not say enough of itself.
    """
    return [dict(of_kept(one), at=one["at"]) for one in kept()[-_MOST_TOLD:] if "inode" in one]


def known(name: str) -> "Dict[str, Any]":
    """Return what is known of a file that is kept. Raises QuarantineError."""
    if not _NAME.fullmatch(name):
        raise QuarantineError("there is no {}".format(ascii(name)))
    try:
        told = places.load(_about(name))
    except (OSError, ValueError):
        raise QuarantineError("there is no {}".format(name)) from None
    return dict(told)


def delete(name: str) -> "Dict[str, Any]":
    """Delete what is kept for good; return what it was. Raises QuarantineError."""
    told = known(name)
    shutil.rmtree(os.path.join(layout.QUARANTINE, name))
    return told


def _kept_from(
    entry: "paths.Entry", descriptor: int, told: "Dict[str, Any]", directory: str
) -> "Dict[str, Any]":
    """Copy a file and what it was into a directory, and take its name away; return what it was.

    Where that fails, the directory is gone.
    """
    try:
        seen = os.fstat(descriptor)
        about = dict(
            told,
            gid=seen.st_gid,
            mtime_ns=seen.st_mtime_ns,
            at=time.time(),
            xattrs=_attributes(descriptor),
            sha256=_copy(descriptor, os.path.join(directory, "content"), int(told["size"])),
        )
        places.save(os.path.join(directory, "about.json"), about)
        places.sync(directory)
        places.sync(layout.QUARANTINE)
        if not paths.is_still(entry.directory, entry.name, seen):
            raise QuarantineError("another file has its name by now")
        os.unlink(entry.name, dir_fd=entry.directory)
    except BaseException:
        shutil.rmtree(directory)
        raise
    return about


def _names() -> "List[str]":
    try:
        return [name for name in os.listdir(layout.QUARANTINE) if _NAME.fullmatch(name)]
    except FileNotFoundError:
        return []


def _about(name: str) -> str:
    return os.path.join(layout.QUARANTINE, name, "about.json")


def _attributes(descriptor: int) -> "Dict[str, str]":
    return {name: os.getxattr(descriptor, name).hex() for name in os.listxattr(descriptor)}


def _copy(descriptor: int, path: str, size: int) -> str:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        digest = contents.copy(descriptor, target, size)
        os.fsync(target)
        return digest
    finally:
        os.close(target)

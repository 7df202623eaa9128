"""Files that were taken away: moved, never deleted, with all that is needed to bring them back.

Each has a directory of its own, root's alone: ``content``, and ``about.json`` with path, owner,
mode, times, extended attributes and SHA-256.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time

from .. import places
from . import layout, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

_PIECE = 1 << 20
# What stays free of the disk.
_FREE = 0.05
_NAME = re.compile(r"[0-9a-f]{16}")
# What breaks a server or loses people's data when a scanner is wrong: told, and left there.
_LEFT_ALONE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot", "/etc", "/opt", "/root/.ssh"),
    *("/var/lib/postgresql", "/var/lib/mysql", "/var/lib/mongodb", "/var/lib/redis"),
    *("/var/lib/ldap", "/var/lib/dpkg", "/var/lib/docker", "/var/lib/containerd"),
    *("/var/mail", "/var/spool", "/var/vmail", "/srv/vmail", "/var/lib/dovecot"),
)
_SUFFIXES = (
    *(".sqlite", ".sqlite3", ".db", ".ibd", ".frm", ".myd", ".mdb", ".accdb", ".mdf", ".ldf"),
    *(".mbox", ".pst", ".ost", ".qcow2", ".vmdk", ".vdi", ".raw"),
)
# What a file system says that makes no file without a name (open(2)); old kernels take the flag for
# another one.
_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT)
_MAIL = ("cur", "new", "mbox", "Maildir")


class QuarantineError(Exception):
    """A file was not moved; the text says why."""


def may_be_moved(path: str) -> bool:
    """Return whether a file is none of those that are left alone: databases, mail, the system."""
    if any(path == one or path.startswith(one + "/") for one in _LEFT_ALONE):
        return False
    parts = path.split("/")
    return not path.lower().endswith(_SUFFIXES) and not set(_MAIL) & set(parts[-3:])


def take(entry: "paths.Entry", descriptor: int, signature: str) -> str:
    """Move the open file away; return the name under which it is kept.

    Raises QuarantineError where it is left alone, or where its name stands for another file by now.
    """
    if not may_be_moved(entry.path):
        raise QuarantineError("left alone: a database, mail, or part of the system")
    seen = os.fstat(descriptor)
    _require_room(seen.st_size)
    name = hashlib.sha256(os.urandom(16)).hexdigest()[:16]
    directory = places.directory(os.path.join(layout.QUARANTINE, name))
    try:
        told = {
            "path": entry.path,
            "signature": signature,
            "uid": seen.st_uid,
            "gid": seen.st_gid,
            "mode": seen.st_mode & 0o7777,
            "mtime_ns": seen.st_mtime_ns,
            "size": seen.st_size,
            "at": time.time(),
            "xattrs": _attributes(descriptor),
            "sha256": _copy(descriptor, os.path.join(directory, "content")),
        }
        places.save(os.path.join(directory, "about.json"), told)
        _sync(directory)
        _sync(layout.QUARANTINE)
        if not paths.is_still(entry.directory, entry.name, seen):
            raise QuarantineError("another file has its name by now")
        os.unlink(entry.name, dir_fd=entry.directory)
    except BaseException:
        shutil.rmtree(directory)
        raise
    return name


def kept() -> "List[Dict[str, Any]]":
    """Return what is kept, the oldest first."""
    found = []
    for name in _names():
        with contextlib.suppress(OSError, ValueError):
            found.append(dict(places.load(_about(name)), name=name))
    return sorted(found, key=lambda one: float(one["at"]))


def restore(name: str) -> "Dict[str, Any]":
    """Bring a file back: bytes, owner, mode, times, attributes; return what it was.

    Raises QuarantineError where something has its path by now, where its directory is gone or was
    replaced by a link, and where the content is not what was taken away.
    """
    told = _known(name)
    path = str(told["path"])
    try:
        directory = paths.open_directory(os.path.dirname(path))
    except OSError as problem:
        raise QuarantineError("{}: {}".format(os.path.dirname(path), problem.strerror)) from problem
    try:
        _put_back(name, told, directory, os.path.basename(path))
        os.fsync(directory)
    finally:
        os.close(directory)
    delete(name)
    return told


def delete(name: str) -> "Dict[str, Any]":
    """Delete what is kept for good; return what it was. Raises QuarantineError."""
    told = _known(name)
    shutil.rmtree(os.path.join(layout.QUARANTINE, name))
    return told


def _put_back(name: str, told: "Dict[str, Any]", directory: int, base: str) -> None:
    """Write a file that has no name, and give it its own: the directory may be an intruder's.

    It is linked as the open file that it is: no name that others may have changed is believed.
    """
    target, waiting = _nameless(name, directory)
    try:
        _write_back(name, told, target)
        # Unlike a rename, it does not replace what is there.
        os.link("/proc/self/fd/{}".format(target), base, dst_dir_fd=directory, follow_symlinks=True)
    except FileExistsError:
        raise QuarantineError("{}: something else is there".format(told["path"])) from None
    finally:
        os.close(target)
        if waiting:
            with contextlib.suppress(OSError):
                os.unlink(waiting, dir_fd=directory)


def _nameless(name: str, directory: int) -> "Tuple[int, str]":
    """Return a new file, open, and the name that it needs on a file system that knows no other."""
    flags = os.O_WRONLY | os.O_CLOEXEC
    try:
        return os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=directory), ""
    except OSError as problem:
        if problem.errno not in _NO_TMPFILE:
            raise
    waiting = ".luytre-" + name
    with contextlib.suppress(FileNotFoundError):
        os.unlink(waiting, dir_fd=directory)
    new = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return os.open(waiting, flags | new, 0o600, dir_fd=directory), waiting


def _write_back(name: str, told: "Dict[str, Any]", target: int) -> None:
    source = os.open(os.path.join(layout.QUARANTINE, name, "content"), os.O_RDONLY)
    try:
        digest = _pour(source, target)
    finally:
        os.close(source)
    if digest != told["sha256"]:
        raise QuarantineError("the content is not what was taken away")
    os.fchown(target, int(told["uid"]), int(told["gid"]))
    os.fchmod(target, int(told["mode"]))
    for attribute, value in told["xattrs"].items():
        os.setxattr(target, attribute, bytes.fromhex(value))
    os.utime(target, ns=(int(told["mtime_ns"]), int(told["mtime_ns"])))
    os.fsync(target)


def _require_room(size: int) -> None:
    """Raise QuarantineError where a file would fill the disk: people may make many."""
    place = os.statvfs(places.directory(layout.QUARANTINE))
    left = place.f_bavail * place.f_frsize - size
    if left < place.f_blocks * place.f_frsize * _FREE:
        raise QuarantineError("left alone: too little room to keep it")


def _known(name: str) -> "Dict[str, Any]":
    if not _NAME.fullmatch(name):
        raise QuarantineError("there is no {}".format(ascii(name)))
    try:
        told = places.load(_about(name))
    except (OSError, ValueError):
        raise QuarantineError("there is no {}".format(name)) from None
    return dict(told)


def _names() -> "List[str]":
    try:
        return [name for name in os.listdir(layout.QUARANTINE) if _NAME.fullmatch(name)]
    except FileNotFoundError:
        return []


def _about(name: str) -> str:
    return os.path.join(layout.QUARANTINE, name, "about.json")


def _attributes(descriptor: int) -> "Dict[str, str]":
    return {name: os.getxattr(descriptor, name).hex() for name in os.listxattr(descriptor)}


def _copy(descriptor: int, path: str) -> str:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        digest = _pour(descriptor, target)
        os.fsync(target)
        return digest
    finally:
        os.close(target)


def _pour(source: int, target: int) -> str:
    """Copy an open file from its beginning; return its SHA-256."""
    digest, at = hashlib.sha256(), 0
    while True:
        piece = os.pread(source, _PIECE, at)
        if not piece:
            return digest.hexdigest()
        digest.update(piece)
        at += len(piece)
        while piece:
            piece = piece[os.write(target, piece) :]


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Bring files back from the quarantine, into directories that may be an intruder's."""

import contextlib
import errno
import os

from .. import places
from . import contents, layout, paths
from .quarantine import QuarantineError, delete, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

# What was brought back is remembered, the newest of it.
_MOST_BROUGHT_BACK = 1000
# What a file system says that makes no file without a name (open(2)); old kernels take the flag for
# another one.
_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT)


def was_brought_back(path: str, sha256: str) -> bool:
    """Return whether this very content was brought back to this path.

    Raises QuarantineError, OSError.
    """
    return [path, sha256] in _brought_back()


def restore(name: str) -> "Dict[str, Any]":
    """Bring a file back: bytes, owner, mode, times, attributes; return what it was.

    Raises QuarantineError where something has its path by now, where its directory is gone or was
    replaced by a link, and where the content is not what was taken away.
    """
    told = known(name)
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
    before = [*_brought_back(), [path, str(told["sha256"])]]
    places.save(layout.BROUGHT_BACK, before[-_MOST_BROUGHT_BACK:])
    delete(name)
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
        digest = contents.copy(source, target, os.fstat(source).st_size)
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


def _brought_back() -> "List[List[str]]":
    try:
        return list(places.load(layout.BROUGHT_BACK))
    except FileNotFoundError:
        return []
    except ValueError:
        raise QuarantineError("{}: unreadable".format(layout.BROUGHT_BACK)) from None

"""Paths below directories that others may write to: opened step by step, no link is followed."""

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, NamedTuple, Optional

    Problems = List[Dict[str, str]]

    class Entry(NamedTuple):
        """A regular file as it was met: its path, its directory (open), its name, how it stands."""

        path: str
        directory: int
        name: str
        seen: os.stat_result

else:
    from collections import namedtuple

    Entry = namedtuple("Entry", "path directory name seen")

# Each directory is opened step by step: who nests them without end must not hold up a scan.
_DEEPEST = 256
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_HANDLE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Gone(OSError):
    """A name stands for no regular file any more."""


def open_directory(path: str) -> int:
    """Return an open directory; raises OSError where a step on the way is no directory, or a link.

    ``path`` is absolute.
    """
    descriptor = os.open("/", _STEP)
    for name in [part for part in path.split("/") if part]:
        try:
            step = os.open(name, _STEP, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = step
    return descriptor


def directory_of(path: str) -> int:
    """Return the open directory of a file; raises Gone where the way to it is none, OSError."""
    try:
        return open_directory(os.path.dirname(path))
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise Gone(problem.errno, problem.strerror) from None
        raise


def open_file(directory: int, name: str, *, wait: bool = True) -> int:
    """Return an open regular file of a directory.

    Who has a lease on a file (fcntl) can hold up whoever opens it, until the kernel takes the lease
    away (45 seconds); without ``wait``, such a file raises BlockingIOError, and the kernel begins.
    Raises Gone where there is no regular file, OSError where it cannot be opened.
    """
    handle = _handle(directory, name)
    try:
        flags = os.O_RDONLY | os.O_CLOEXEC | (0 if wait else os.O_NONBLOCK)
        return os.open("/proc/self/fd/{}".format(handle), flags)
    finally:
        os.close(handle)


def is_there(path: str) -> bool:
    """Return whether a path stands for a regular file, no link followed; raises OSError."""
    try:
        directory = directory_of(path)
    except Gone:
        return False
    try:
        os.close(_handle(directory, os.path.basename(path)))
    except Gone:
        return False
    finally:
        os.close(directory)
    return True


def is_still(entry_directory: int, name: str, seen: os.stat_result) -> bool:
    """Return whether a name still stands for the file that was seen."""
    try:
        now = os.stat(name, dir_fd=entry_directory, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(now, seen)


def files(top: str, left_out: "List[str]", problems: "Problems") -> "Iterator[Entry]":
    """Yield the regular files below a path, or the path itself; what cannot be read is a problem.

    The open directory of an entry is closed when the next one is asked for; one is open at a time.
    """
    try:
        seen = os.lstat(top)
    except OSError as problem:
        problems.append({"path": top, "why": problem.strerror or "unreadable"})
        return
    if not stat.S_ISDIR(seen.st_mode):
        yield from _single(top, problems)
        return
    ahead = [top]
    while ahead:
        place = ahead.pop()
        try:
            directory = open_directory(place)
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError as problem:
            problems.append({"path": place, "why": problem.strerror or "unreadable"})
            continue
        try:
            for name in _names(directory, place, problems):
                path = os.path.join(place, name)
                found = None if path in left_out else _seen(directory, name, path, problems)
                if found is not None and stat.S_ISDIR(found.st_mode):
                    if path.count("/") > _DEEPEST:
                        problems.append({"path": path, "why": "nested too deep"})
                    else:
                        ahead.append(path)
                elif found is not None and stat.S_ISREG(found.st_mode):
                    yield Entry(path, directory, name, found)
        finally:
            os.close(directory)


def _single(top: str, problems: "Problems") -> "Iterator[Entry]":
    try:
        directory = open_directory(os.path.dirname(top))
    except OSError as problem:
        problems.append({"path": top, "why": problem.strerror or "unreadable"})
        return
    try:
        found = _seen(directory, os.path.basename(top), top, problems)
        if found is None or not stat.S_ISREG(found.st_mode):
            problems.append({"path": top, "why": "no file and no directory"})
        else:
            yield Entry(top, directory, os.path.basename(top), found)
    finally:
        os.close(directory)


def _handle(directory: int, name: str) -> int:
    """Return a handle of a regular file: nothing is opened by it; raises Gone, OSError."""
    try:
        handle = os.open(name, _HANDLE, dir_fd=directory)
    except FileNotFoundError as problem:
        raise Gone(problem.errno, problem.strerror) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Gone(errno.EINVAL, "no regular file")
    return handle


def _names(directory: int, place: str, problems: "Problems") -> "List[str]":
    try:
        return sorted(os.listdir(directory))
    except OSError as problem:
        problems.append({"path": place, "why": problem.strerror or "unreadable"})
        return []


def _seen(directory: int, name: str, path: str, problems: "Problems") -> "Optional[os.stat_result]":
    """Return how something stands; None where it is gone, or cannot be asked: a problem."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as problem:
        problems.append({"path": path, "why": problem.strerror or "unreadable"})
        return None

"""Paths below directories that others may write to: opened step by step, no link is followed."""

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
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


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


def open_file(directory: int, name: str) -> int:
    """Return an open regular file of a directory; raises OSError for anything else."""
    descriptor = os.open(name, _READ, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("no regular file")
    return descriptor


def is_still(entry_directory: int, name: str, seen: os.stat_result) -> bool:
    """Return whether a name still stands for the file that was seen."""
    try:
        now = os.stat(name, dir_fd=entry_directory, follow_symlinks=False)
    except OSError:
        return False
    return (now.st_dev, now.st_ino) == (seen.st_dev, seen.st_ino)


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
            for name in sorted(os.listdir(directory)):
                path = os.path.join(place, name)
                found = None if path in left_out else _seen(directory, name)
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
        found = _seen(directory, os.path.basename(top))
        if found is None or not stat.S_ISREG(found.st_mode):
            problems.append({"path": top, "why": "no file and no directory"})
        else:
            yield Entry(top, directory, os.path.basename(top), found)
    finally:
        os.close(directory)


def _seen(directory: int, name: str) -> "Optional[os.stat_result]":
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None

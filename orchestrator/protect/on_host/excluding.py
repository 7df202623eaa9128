"""restic's exclude patterns, as its documentation tells them: for choosing what is hashed."""

from fnmatch import fnmatchcase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

_ANY = "**"


def excluded(path: str, patterns: "Sequence[str]") -> bool:
    """Return whether one of the patterns leaves an absolute path out, or a directory above it.

    A pattern that begins with a slash is compared from the root on, every other one from any
    directory on; ``*`` and ``?`` stay within one name, ``**`` stands for any number of names.
    """
    names = path.split("/")[1:]
    return any(_leaves_out(names, pattern) for pattern in patterns)


def _leaves_out(names: "List[str]", pattern: str) -> bool:
    parts = [part for part in pattern.split("/") if part]
    if not parts:
        return False
    starts = [0] if pattern.startswith("/") else range(len(names))
    return any(_begins(names[start:], parts) for start in starts)


def _begins(names: "List[str]", parts: "List[str]") -> bool:
    """Return whether the names begin with what the parts of a pattern describe."""
    if not parts:
        return True
    if parts[0] == _ANY:
        return any(_begins(names[skipped:], parts[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _begins(names[1:], parts[1:])

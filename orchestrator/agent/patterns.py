"""Patterns of absolute paths: ``*`` stands for a part of a name, ``**`` for any names in between.

``/var/log/**`` is everything below a directory, without itself. The modules re and fnmatch would
cost an audit 6 ms.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Tuple

ANY = "**"


def matches(pattern: str, path: str) -> bool:
    """Return whether a path is one that the pattern stands for."""
    return _parts_match(pattern.split("/"), path.split("/"))


def any_matches(patterns: "Iterable[str]", path: str) -> bool:
    """Return whether one of the patterns stands for a path."""
    return any(matches(pattern, path) for pattern in patterns)


def is_plain(pattern: str) -> bool:
    """Return whether a pattern stands for one path only: itself."""
    return "*" not in pattern


def name_matches(pattern: str, name: str) -> bool:
    """Return whether a name is one that a pattern with ``*`` stands for."""
    if "*" not in pattern:
        return pattern == name
    pieces = pattern.split("*")
    first, last = pieces[0], pieces[-1]
    if len(name) < len(first) + len(last) or not name.startswith(first):
        return False
    if not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in pieces[1:-1]:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def split(pattern: str) -> "Tuple[str, List[str]]":
    """Return the directory at which a search must begin, and the parts of the pattern below it."""
    parts = pattern.split("/")
    fixed = 0
    while fixed < len(parts) - 1 and is_plain(parts[fixed]):
        fixed += 1
    return "/".join(parts[:fixed]) or "/", parts[fixed:]


def _parts_match(patterns: "List[str]", names: "List[str]") -> bool:
    """Match part by part; after a ``**`` that failed, one name more is taken by it."""
    at = name_at = 0
    star = taken = -1
    while name_at < len(names):
        if at < len(patterns) and patterns[at] == ANY:
            star, taken = at, name_at
            at += 1
        elif at < len(patterns) and name_matches(patterns[at], names[name_at]):
            at, name_at = at + 1, name_at + 1
        elif star >= 0:
            taken += 1
            at, name_at = star + 1, taken
        else:
            return False
    return at == len(patterns)

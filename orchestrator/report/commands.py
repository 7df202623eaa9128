"""Commands of ours as they are told to people, to be typed as they stand."""

import shlex
from collections.abc import Iterable

# With more names nobody reads the command any more.
_MOST_NAMED = 8


def to_type(*words: str, limit: str | None = None) -> str:
    """Return a command for the hosts within a limit, all of them where there is none."""
    return shlex.join(["luytre", *words, *(["--limit", limit] if limit else [])])


def to_type_for(words: Iterable[str], hosts: Iterable[str], limit: str | None = None) -> str:
    """Return a command for some of the hosts within a limit: for all without any, or too many."""
    names = sorted(set(hosts))
    return to_type(*words, limit=",".join(names) if len(names) <= _MOST_NAMED else limit)

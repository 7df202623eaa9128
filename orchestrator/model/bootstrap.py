"""How the bootstrap of a host ended."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What became of one host."""

    ALREADY = "already"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Bootstrapped:
    """One host: how it ended, what was made (``user``, ``key``, ``sudo``, ``package NAME``), why.

    Of a host that took itself back only that is named which others need by now.
    """

    host: str
    standing: Standing
    made: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""

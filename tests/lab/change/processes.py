"""Processes as /proc shows them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .desk import Desk


class Seen(NamedTuple):
    """One process: its number and its parent's, arguments and environment as in memory."""

    number: int
    parent: int
    arguments: bytes
    environment: bytes


def everyone() -> Iterator[Seen]:
    """Yield every process of the machine, those inside its hosts included; others come and go."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (place / "cmdline").read_bytes()
            environment = (place / "environ").read_bytes()
            # proc(5): the name in parentheses may hold blanks; after it, state and parent.
            parent = int((place / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        yield Seen(int(place.name), parent, arguments, environment)


def of_desk(desk: Desk) -> list[str]:
    """Return the processes that work for a desk: they name its directory."""
    words = str(desk.directory).encode()
    return [
        f"{seen.number} {seen.arguments[:200]!r}"
        for seen in everyone()
        if words in seen.arguments + seen.environment and seen.number != os.getpid()
    ]

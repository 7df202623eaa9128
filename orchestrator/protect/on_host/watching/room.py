"""Whether what is recorded still has room: the audit log, the journal, the watch itself."""

import os
import time

from .record import STATE, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Tuple

_PLACES = ("/var/log/audit", "/var/log", STATE)
_NEARLY_FULL = 0.1
# Beside the share: a tenth of a large disk is room enough for a day.
_ENOUGH = 1024 * 1024 * 1024
# A disk has room again only where it has this share more: one that goes up and down is told once.
_AGAIN = 0.02


def look(record: Record) -> None:
    """Tell a record of each disk that has become nearly full; once, until there is room again."""
    told = record.memory("room", [])
    for place, free, total in _places():
        if is_short(free, total, was_short=place in told):
            if place not in told:
                told.append(place)
                now = time.time()
                identity = "{}|{}".format(place, now)
                record.add("room", now, identity, path=place, free=free, total=total)
        elif place in told:
            told.remove(place)


def is_short(free: int, total: int, *, was_short: bool) -> bool:
    """Return whether there is too little room, on a disk that had too little before or not."""
    wanted = min(total * _NEARLY_FULL, _ENOUGH)
    return free < (wanted + total * _AGAIN if was_short else wanted)


def _places() -> "Iterator[Tuple[str, int, int]]":
    """Yield one place of each disk, with the bytes that are free there, and all."""
    disks: "List[int]" = []
    for place in _PLACES:
        try:
            seen, disk = os.statvfs(place), os.stat(place).st_dev
        except FileNotFoundError:
            continue  # there is none on this host
        if disk not in disks:
            disks.append(disk)
            yield place, seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize

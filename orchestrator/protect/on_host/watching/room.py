"""Whether what is recorded still has room: the audit log, the journal, the watch itself."""

import os
import time

from .record import STATE, Record

_PLACES = ("/var/log/audit", "/var/log", STATE)
_NEARLY_FULL = 0.1
# Beside the share: a tenth of a large disk is room enough for a day.
_ENOUGH = 1024 * 1024 * 1024


def look(record: Record) -> None:
    """Tell a record of each place that has become nearly full; once, until there is room again."""
    told = record.memory("room", [])
    for place in _PLACES:
        try:
            seen = os.statvfs(place)
        except OSError:
            continue  # there is none on this host
        free, total = seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize
        if free >= min(total * _NEARLY_FULL, _ENOUGH):
            if place in told:
                told.remove(place)
        elif place not in told:
            told.append(place)
            now = time.time()
            record.add("room", now, "{}|{}".format(place, now), path=place, free=free, total=total)

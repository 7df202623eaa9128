"""Before anything is forgotten: which snapshots look as if somebody wanted real ones forgotten.

A client that was taken over can add snapshots, dated as it likes. What it must not get is that the
vault itself then removes the real ones. Pure: no clock, no file, no restic.
"""

import calendar
import re
import statistics
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set, Tuple

DEFAULTS = {
    # restic's --keep-within, counted from the newest snapshot of each host and paths.
    "keep_within": "180d",
    # A snapshot may be dated so long after it came (clocks), and so long before (its own run).
    "early_minutes": 15,
    "late_hours": 48,
    # More snapshots of one host and paths within 24 hours are a flood.
    "flood": 24,
    # The newest may be so much smaller than the median of those before it.
    "shrunk_share": 0.5,
    # A forget leaves so many snapshots at least.
    "left_at_least": 3,
    # A lock of a client keeps us away for so long, whether anybody holds it or not.
    "lock_hours": 2,
    # Leftovers of backups that were killed go at least so often.
    "prune_days": 7,
    # How long to wait until nobody of the client is logged in.
    "wait_seconds": 120,
    # With less room, pruning only deletes: nothing is written anew to save more.
    "low_bytes": 1024**3,
}
_DURATION = re.compile(r"([0-9]+[ymdh])+")
_TIME = re.compile(r"([0-9-]{10}T[0-9:]{8})(\.[0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))")
_DAY = 86400.0
_MEDIAN_OF = 10


def policy(declared: "Dict[str, Any]") -> "Dict[str, Any]":
    """Return the whole policy; raises ValueError where something is declared that we do not know.

    What is declared is read by root, and still: a word that restic takes for an option is none.
    """
    unknown = sorted(set(declared) - set(DEFAULTS))
    whole = dict(DEFAULTS, **declared)
    if unknown or not _DURATION.fullmatch(str(whole["keep_within"])):
        raise ValueError("no retention: {}".format(unknown or whole["keep_within"]))
    return whole


class Snapshot:
    """A snapshot: its own time, when it came (both in seconds since 1970), and what it is of."""

    def __init__(self, told: "Dict[str, Any]") -> None:
        self.id = str(told["id"])
        self.time = float(told["time"])
        self.arrived = float(told["arrived"])
        self.of: "Tuple[str, ...]" = (str(told["host"]), *map(str, told["paths"]))


def seconds(told: str) -> float:
    """Return a time of restic's in seconds since 1970; raises ValueError."""
    found = _TIME.fullmatch(told)
    if found is None:
        raise ValueError("no time: {!r}".format(told))
    whole, fraction, sign, hours, minutes = found.groups()
    ahead = int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60) if sign else 0
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0) - ahead


def suspects(
    snapshots: "List[Snapshot]",
    sizes: "Dict[str, int]",
    accepted: "Set[str]",
    policy: "Dict[str, Any]",
) -> "Dict[str, Dict[str, str]]":
    """Return what is wrong with snapshots, by their ids; those that somebody accepted are left out.

    ``sizes`` are of those that ``measured`` names, in bytes. Kinds: misdated, flood, shrunk.
    """
    told = {}
    for group in _groups(snapshots):
        told.update(_shrunk(group, sizes, accepted, policy["shrunk_share"]))
        told.update(_flood(group, policy["flood"]))
    told.update(_misdated(snapshots, policy))
    return {each: why for each, why in told.items() if each not in accepted}


def measured(snapshots: "List[Snapshot]", accepted: "Set[str]") -> "Set[str]":
    """Return the ids of the snapshots whose sizes are needed."""
    return {each.id for group in _groups(snapshots) for each in _compared(group, accepted)}


def _groups(snapshots: "Iterable[Snapshot]") -> "List[List[Snapshot]]":
    """Return the snapshots of each host and paths, in the order in which they came."""
    found: "Dict[Tuple[str, ...], List[Snapshot]]" = {}
    for each in sorted(snapshots, key=lambda snapshot: snapshot.arrived):
        found.setdefault(each.of, []).append(each)
    return list(found.values())


def _compared(group: "List[Snapshot]", accepted: "Set[str]") -> "List[Snapshot]":
    """Return the newest and those by which it is measured: what was accepted is the measure."""
    since = max((i for i, each in enumerate(group) if each.id in accepted), default=0)
    return group[since:][-_MEDIAN_OF - 1 :]


def _shrunk(
    group: "List[Snapshot]", sizes: "Dict[str, int]", accepted: "Set[str]", share: float
) -> "Dict[str, Dict[str, str]]":
    *earlier, newest = _compared(group, accepted)
    usual = statistics.median(sizes[each.id] for each in earlier) if earlier else 0
    if sizes[newest.id] >= usual * (1 - share):
        return {}
    why = "{} bytes, where {} are usual".format(sizes[newest.id], int(usual))
    return {newest.id: {"kind": "shrunk", "why": why}}


def _flood(group: "List[Snapshot]", limit: int) -> "Dict[str, Dict[str, str]]":
    told = {}
    for number, last in enumerate(group[limit:]):
        if last.arrived - group[number].arrived < _DAY:
            why = "more than {} came within 24 hours".format(limit)
            told[last.id] = {"kind": "flood", "why": why}
    return told


def _misdated(snapshots: "List[Snapshot]", policy: "Dict[str, Any]") -> "Dict[str, Dict[str, str]]":
    told = {}
    for each in snapshots:
        ahead = each.time - each.arrived
        if ahead > policy["early_minutes"] * 60:
            why = "dated {} s after it came".format(int(ahead))
        elif -ahead > policy["late_hours"] * 3600:
            why = "dated {} s before it came".format(int(-ahead))
        else:
            continue
        told[each.id] = {"kind": "misdated", "why": why}
    return told

"""Junk under good names: what a client may add, no key opens, and no keyless scrub can know.

One such index keeps restic from every restore, one such snapshot from that of the latest. Both are
moved aside, and nothing is deleted. What was damaged later is no junk, its name tells: an index is
left where it is then, for a prune without it would delete what it lists.
"""

import os

from . import layout, places, scrub, snapshots, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_SECONDS = 1800
# No blob has this name. To say so, restic must have read every index.
_NO_BLOB = "0" * 64
_NOT_FOUND = "blob not found"
_TOLD = 100


def clear(client: str, now: float) -> "Dict[str, Any]":
    """Move junk aside; return ``aside``: what lies there, until a person has taken it away.

    Raises UpkeepError, OSError.
    """
    place = vault.repository(client)
    # Without the right key, nothing would open, and all of it would be moved.
    upkeep.ask(client, "cat", "--no-lock", "config", seconds=_SECONDS)
    for name in _suspects(client, place):
        if scrub.is_sound(place, name) and not _opens(client, name):
            there = os.path.join(_aside(client), os.path.basename(name))
            os.rename(os.path.join(place, name), there)
            scrub.removed(client, [name])
    found = sorted(os.listdir(_aside(client)))
    return {
        "at": now,
        "state": "problems" if found else "ok",
        "aside": found[:_TOLD],
        "aside_total": len(found),
    }


def _aside(client: str) -> str:
    return places.directory(os.path.join(vault.ROOT, client, "aside"))


def _suspects(client: str, place: str) -> "List[str]":
    found = ["snapshots/" + each for each in snapshots.of(client)["unreadable"]]
    words = ("cat", "--no-lock", "blob", _NO_BLOB)
    _status, _said, complaints = upkeep.run(client, *words, seconds=_SECONDS)
    if _NOT_FOUND not in complaints:
        found += sorted(each for each in layout.names(place) if each.startswith("index/"))
    return found


def _opens(client: str, name: str) -> bool:
    kind, _, word = name.partition("/")
    kind = {"index": "index", "snapshots": "snapshot"}[kind]
    words = ("cat", "--no-lock", kind, word)
    return upkeep.run(client, *words, seconds=_SECONDS)[0] == 0

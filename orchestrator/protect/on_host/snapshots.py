"""The snapshots of a repository as root reads them; decrypted only where one came or went."""

import json

from . import guards, layout, places, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_SECONDS = 1800


def of(client: str) -> "Dict[str, Any]":
    """Return ``snapshots`` (id, time, arrived, host, paths, tags) and what is ``unreadable``.

    Times are in seconds since 1970; ``arrived`` is by the vault's clock. Oldest first, as they
    came. Raises UpkeepError, OSError, ValueError.
    """
    path = upkeep.place("snapshots", client)
    with places.locked(path + ".lock", wait=True):
        return _read(client, path)


def _read(client: str, path: str) -> "Dict[str, Any]":
    there = layout.snapshots(vault.repository(client))
    known = upkeep.remembered(path, None)
    if known is not None and known["names"] == sorted(there):
        return _without_names(known)
    # A lock of root's would keep the client's backup from starting, and reading needs none.
    said = upkeep.ask(client, "snapshots", "--json", "--no-lock", seconds=_SECONDS)
    # What came between the two looks is the next call's: its name is not in this one's list.
    found = [_plain(told, there[told["id"]]) for told in json.loads(said) if told["id"] in there]
    found.sort(key=lambda told: (told["arrived"], told["id"]))
    # restic ends with 0 although it could not read one of them.
    unread = sorted(set(there) - {told["id"] for told in found})
    known = {"names": sorted(there), "snapshots": found, "unreadable": unread}
    if not unread:
        places.save(path, known)
    return _without_names(known)


def _without_names(known: "Dict[str, Any]") -> "Dict[str, Any]":
    return {name: known[name] for name in ("snapshots", "unreadable")}


def _plain(told: "Dict[str, Any]", arrived: float) -> "Dict[str, Any]":
    return {
        "id": told["id"],
        "time": guards.seconds(told["time"]),
        "arrived": arrived,
        "host": upkeep.shown(str(told.get("hostname", ""))),
        "paths": _shown(told.get("paths")),
        "tags": _shown(told.get("tags")),
    }


def _shown(words: "Any") -> "List[str]":
    return [upkeep.shown(str(word)) for word in words or []]

"""AIDE on this host: look at every file, and compare with the database that was accepted.

Root of this host can change all of it. What counts is at the controller: it knows the digest of
the database that was accepted, keeps the database itself, and can compare with it.
"""

import base64
import hashlib
import os
import time
import zlib

from .. import places, running
from .entries import changes
from .record import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

SETTINGS = "/etc/luytre-intrusion/aide.conf"
_PLACE = "/var/lib/luytre-intrusion/aide"
_ACCEPTED = _PLACE + "/accepted"
_NEW = _PLACE + "/new"
_RESULT = _PLACE + "/result.json"
_KEEPER = _PLACE + "/keeper.json"
_LOCK = "/run/luytre-intrusion/aide"
_SECONDS = 4 * 3600
_MOST_CHANGES = 500


def look() -> "Dict[str, Any]":
    """Look at every file; return and keep what is different from the accepted database."""
    with places.locked(_LOCK, wait=True):
        told = _looked()
        places.save(_RESULT, told)
    return told


def standing() -> "Dict[str, Any]":
    """Return the digest of the accepted database as it lies here, and the newest result.

    ``keeper`` says which workspace has put it here: its id, and its name.
    """
    accepted = _read(_ACCEPTED)
    return {
        "database": _digest(accepted) if accepted is not None else "",
        "keeper": _loaded(_KEEPER) or {"id": "", "name": ""},
        "result": _loaded(_RESULT),
    }


def newest() -> "Dict[str, Any]":
    """Return the database of the newest look: its digest, itself packed, and how all stands."""
    told = standing()
    problem = told["result"]["problem"] if told["result"] else "it has never looked"
    whole = _read(_NEW) or b""
    packed = base64.b64encode(zlib.compress(whole)).decode("ascii")
    return dict(told, problem=problem, digest=_digest(whole), packed=packed)


def accept(told: "Dict[str, Any]") -> "Dict[str, Any]":
    """Keep a database as the accepted one, and compare the newest look with it."""
    whole = zlib.decompress(base64.b64decode(told["packed"]))
    places.directory(_PLACE)
    with places.locked(_LOCK, wait=True):
        places.save(_KEEPER, told["keeper"])
        places.write(_ACCEPTED, whole.decode("utf-8"))
        result = standing()["result"]
        # A look that failed is no newer for it, and one that was made is no younger.
        if result and not result["problem"]:
            places.save(_RESULT, _compared(result["at"]))
    return standing()


def _looked() -> "Dict[str, Any]":
    places.directory(_PLACE)
    # What changes while AIDE looks is looked at by the next look.
    begun = time.time()
    # Of a file whose blocks reach the disk while it is read, AIDE tells no hash.
    os.sync()
    try:
        running.output(["aide", "--init", "--config", SETTINGS], seconds=_SECONDS)
    except running.ProgramError as problem:
        return dict(_nothing(begun), problem=shown(problem))
    return _compared(begun)


def _compared(begun: float) -> "Dict[str, Any]":
    """Return what is different between the accepted database and the one that was begun then."""
    accepted, now = _read(_ACCEPTED), _read(_NEW)
    new = _digest(now or b"")
    if accepted is None or now is None:
        return dict(_nothing(begun), new=new)
    try:
        found = changes(accepted.decode("utf-8"), now.decode("utf-8"))
    except (ValueError, IndexError) as problem:
        return dict(_nothing(begun), new=new, problem=shown(problem))
    told = dict(_nothing(begun), database=_digest(accepted), new=new)
    return dict(told, changes=found[:_MOST_CHANGES], total=len(found))


def _nothing(begun: float) -> "Dict[str, Any]":
    return {"at": begun, "database": "", "new": "", "problem": "", "changes": [], "total": 0}


def _loaded(path: str) -> "Optional[Any]":
    try:
        return places.load(path)
    except FileNotFoundError:
        return None


def _read(path: str) -> "Optional[bytes]":
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

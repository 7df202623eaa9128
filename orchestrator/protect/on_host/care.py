"""The vault's care for every repository, job after job; and what the controller asks for."""

import contextlib
import os
import subprocess
import time
from types import MappingProxyType

from . import access, check, junk, places, refused, retain, scrub, snapshots, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

JOBS = ("scrub", "junk", "check", "retention")
_LOCK = "/run/luytre-vault/care"


class Busy(Exception):
    """Care goes on already."""


@contextlib.contextmanager
def alone() -> "Iterator[None]":
    """Keep other care away; raises Busy where it goes on."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(places.locked(_LOCK, wait=False))
        except BlockingIOError:
            raise Busy("the vault's care goes on already") from None
        yield


def care(*jobs: str) -> "Dict[str, Any]":
    """Do some jobs (all, where none is named) for every client; return how each ended.

    Results: {client: {job: state}}. Raises Busy.
    """
    with alone():
        return {client: _care_for(client, jobs or JOBS) for client in vault.clients()}


def survey(looked_for: "Mapping[str, List[str]]" = MappingProxyType({})) -> "Dict[str, Any]":
    """Return what the vault knows of each client, and what it was refused; raises OSError.

    ``looked_for`` names by client snapshots that should be there, by the first digits of their ids.
    By client: ``care`` (the latest result of each job), ``lacks`` (which of those are not there, or
    cannot be read), ``unreadable`` and ``newest`` (when it came; both as in snapshots.py),
    ``snapshots`` (how many), ``refused`` (as in refused.py), ``closed``
    (it is kept out), ``free_bytes`` and ``total_bytes`` of the file system, and ``problem`` where
    something of this could not be read.
    """
    told: "Dict[str, Any]" = {"at": time.time(), "clients": {}, "problem": None}
    attempts: "Dict[str, Any]" = {}
    try:
        attempts = refused.collect()
    except (upkeep.UpkeepError, OSError, ValueError, subprocess.SubprocessError) as problem:
        told["problem"] = upkeep.shown(str(problem))
    for client in vault.clients():
        wanted = looked_for.get(client, [])
        told["clients"][client] = dict(_surveyed(client, wanted), refused=attempts.get(client))
    return told


def _surveyed(client: str, looked_for: "List[str]") -> "Dict[str, Any]":
    told: "Dict[str, Any]" = {"problem": None}
    try:
        space = os.statvfs(vault.repository(client))
        told["free_bytes"] = space.f_bavail * space.f_frsize
        told["total_bytes"] = space.f_blocks * space.f_frsize
        told["care"] = upkeep.remembered(upkeep.place("care", client), {})
        told["closed"] = access.is_withdrawn(client)
        found = snapshots.of(client)
        there = [each["id"] for each in found["snapshots"]]
        told["snapshots"], told["unreadable"] = len(there), found["unreadable"]
        told["newest"] = max((each["arrived"] for each in found["snapshots"]), default=None)
        told["lacks"] = [
            each for each in looked_for if not any(name.startswith(each) for name in there)
        ]
    except Exception as problem:  # noqa: BLE001 - one client must not keep the others from being told
        told["problem"] = upkeep.shown("{}: {}".format(type(problem).__name__, problem))
    return told


def _care_for(client: str, jobs: "Tuple[str, ...]") -> "Dict[str, str]":
    """Do the jobs for one client, write what came of each, and return how each ended."""
    ends = {"mending": _done(client, "mending")}
    if ends["mending"] == "ok":
        ends.update((job, _done(client, job)) for job in jobs)
    return ends


def _done(client: str, job: str) -> str:
    now = time.time()
    try:
        told = _JOBS[job](client, now)
    except Exception as problem:  # noqa: BLE001 - one client's failure never stops the others
        why = upkeep.shown("{}: {}".format(type(problem).__name__, problem))
        told = {"state": "failed", "why": [why], "at": now}
    path = upkeep.place("care", client)
    known = upkeep.remembered(path, {})
    # Of a job that fails, when it went well last still stands there.
    kept = known.get(job, {}) if told["state"] == "failed" else {}
    known[job] = dict(kept, **told)
    places.save(path, known)
    return str(told["state"])


def _mend(client: str, now: float) -> "Dict[str, Any]":
    retain.mend(client)
    return {"state": "ok", "at": now}


_JOBS: "Dict[str, Callable[[str, float], Dict[str, Any]]]" = {
    "mending": _mend,
    "scrub": scrub.scrub,
    "junk": junk.clear,
    "check": check.check,
    "retention": retain.retain,
}

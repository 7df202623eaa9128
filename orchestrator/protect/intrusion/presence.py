"""Differences that last are told once; one that went away and came back is told again. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.model.watch import FileChange, Sighting, not_ours
from orchestrator.protect.on_host.watching.entries import plain


def told_anew(
    sightings: Iterable[Sighting], before: Mapping[str, Any], *, whole: bool
) -> tuple[list[Sighting], dict[str, Any]]:
    """Return sightings of what differs now, and what is kept of that in the host's answer.

    ``before`` is the host's answer before this one. ``whole``: whatever is not among the sightings
    differs no more. A difference that comes after another one has gone has another identity than
    it had before.
    """
    known = {str(one): int(number) for one, number in before.get("differing", {}).items()}
    generation = int(before.get("generation", 0))
    now: dict[str, int] = {}
    told = []
    for one in sightings:
        number = now[one.identity] = known.get(one.identity, generation)
        identity = hashlib.sha256(f"{one.identity}|{number}".encode()).hexdigest()[:32]
        told.append(replace(one, identity=identity))
    gone = whole and not known.keys() <= now.keys()
    differing = now if whole else {**known, **now}
    return told, {"differing": differing, "generation": generation + gone}


def unexplained(
    changes: Iterable[FileChange], before: Mapping[str, Any], *, whole: bool
) -> dict[str, Any]:
    """Return what is kept of the files that no run left so: no later run may explain them.

    ``before`` is the host's answer before this one; ``whole``: other files differ no more.
    """
    now = {plain(one.path) for one in not_ours(changes)}
    return {"unexplained": sorted(now if whole else {*before.get("unexplained", ()), *now})}

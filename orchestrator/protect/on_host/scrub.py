"""Keyless scrub: files of a repository are named by the SHA-256 of what they hold.

Who only reads names and contents finds damage, junk and deletions, without any password. A whole
pass takes many calls: each reads so many bytes, new files first, and goes on where the last ended.
"""

import os
import stat

from . import digest, layout, places, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List

CYCLE_DAYS = 30
# Bytes that one call reads at most (a single file may be larger).
BUDGET = 64 * 1024**3
# rclone writes under the final name: what was touched so lately may be half of a good file.
SETTLING_SECONDS = 15 * 60
_DAY = 86400.0
_TOLD = 100
_GOOD = "good"
# What stands of a file in the state, in this order.
_SIZE, _MTIME, _READ, _VERDICT = range(4)


def scrub(client: str, now: float, budget: int = BUDGET) -> "Dict[str, Any]":
    """Go on with the scrub of one repository; return what is wrong in it, and how far it is.

    ``now`` is in seconds since 1970. Raises OSError, UpkeepError.
    """
    path = upkeep.place("scrub", client)
    work = _Scrub(client, upkeep.remembered(path, _nothing(now)), now)
    told = work.go(budget)
    places.save(path, work.state)
    return told


def is_sound(place: str, name: str) -> bool:
    """Return whether a file holds what its name says. Raises OSError."""
    return _sha256(os.path.join(place, name)) == os.path.basename(name)


def removed(client: str, names: "Iterable[str]") -> None:
    """Hear which files the vault's own prune took away: they are not missed."""
    path = upkeep.place("scrub", client)
    state = upkeep.remembered(path, None)
    if state is not None:
        for name in names:
            state["files"].pop(name, None)
        places.save(path, state)


def accept_losses(client: str) -> None:
    """Stop telling of files that are gone: somebody knows."""
    path = upkeep.place("scrub", client)
    state = upkeep.remembered(path, None)
    if state is not None:
        places.save(path, dict(state, gone={}))


def _nothing(now: float) -> "Dict[str, Any]":
    return {"files": {}, "gone": {}, "config": None, "pass_started": now, "last_whole": None}


class _Scrub:
    """One call; ``state`` is what the next one must know."""

    def __init__(self, client: str, state: "Dict[str, Any]", now: float) -> None:
        self.place = vault.repository(client)
        self.state = state
        self.now = now
        self.known: "Dict[str, List[Any]]" = state["files"]
        self.there, self.odd = layout.walk(self.place, upkeep.owner(client).pw_uid)
        self.read_files = self.read_bytes = self.unsettled = 0

    def go(self, budget: int) -> "Dict[str, Any]":
        self._miss()
        if self.now - self.state["pass_started"] >= CYCLE_DAYS * _DAY and self._whole():
            self.state["pass_started"] = self.now
        left = self._read(sorted(filter(self._due, self.there), key=self._urgency), budget)
        if not left and not self._whole():
            self.state["last_whole"] = self.now
        return self._told(left)

    def _miss(self) -> None:
        """Remember what was there and is no more, until it is back or somebody has heard of it."""
        for name in set(self.known) - set(self.there):
            del self.known[name]
            self.state["gone"][name] = self.now
        for name in set(self.state["gone"]) & set(self.there):
            del self.state["gone"][name]

    def _whole(self) -> bool:
        """Return whether the pass that was begun last has ended."""
        return bool((self.state["last_whole"] or 0) >= self.state["pass_started"])

    def _due(self, name: str) -> bool:
        known, seen = self.known.get(name), self.there[name]
        if known is None or known[_VERDICT] != _GOOD:
            return True
        if (known[_SIZE], known[_MTIME]) != (seen.st_size, seen.st_mtime_ns):
            return True
        return bool(known[_READ] < self.state["pass_started"])

    def _urgency(self, name: str) -> "Any":
        """Order what is due: what was never read, what was bad, what was not read for longest."""
        known = self.known.get(name)
        if known is None:
            return (0, 0.0, name)
        return (1 if known[_VERDICT] != _GOOD else 2, known[_READ], name)

    def _read(self, due: "List[str]", budget: int) -> "List[str]":
        """Read what is due, in order, as far as the budget goes; return what is left."""
        for number, name in enumerate(due):
            seen = self.there[name]
            if self.read_files and self.read_bytes + seen.st_size > budget:
                return due[number:]
            verdict = self._verdict(name)
            self.read_files += 1
            self.read_bytes += seen.st_size
            if verdict != _GOOD and self.now - seen.st_mtime < SETTLING_SECONDS:
                self.unsettled += 1
                continue
            self.known[name] = [seen.st_size, seen.st_mtime_ns, self.now, verdict]
        return []

    def _verdict(self, name: str) -> str:
        try:
            found = _sha256(os.path.join(self.place, name))
        except OSError as problem:
            return "unreadable: {}".format(problem.strerror)
        if name == layout.CONFIG:
            # Nothing names what it must hold: it never changes, that is all.
            self.state["config"] = self.state["config"] or found
            return _GOOD if found == self.state["config"] else "damaged"
        return _GOOD if found == os.path.basename(name) else "damaged"

    def _told(self, left: "List[str]") -> "Dict[str, Any]":
        bad = {name: known[_VERDICT] for name, known in self.known.items()}
        problems = [{"path": name, "kind": kind} for name, kind in bad.items() if kind != _GOOD]
        problems += [{"path": name, "kind": "gone"} for name in self.state["gone"]]
        problems += [{"path": upkeep.shown(name), "kind": kind} for name, kind in self.odd]
        problems.sort(key=lambda problem: problem["path"])
        return {
            "at": self.now,
            "state": "problems" if problems else "ok",
            "problems": problems[:_TOLD],
            "problems_total": len(problems),
            "files": len(self.there),
            "bytes": sum(seen.st_size for seen in self.there.values()),
            "read_files": self.read_files,
            "read_bytes": self.read_bytes,
            "left_files": len(left),
            "left_bytes": sum(self.there[name].st_size for name in left),
            "unsettled": self.unsettled,
            "pass_started": self.state["pass_started"],
            "last_whole": self.state["last_whole"],
            "cycle_days": CYCLE_DAYS,
        }


def _sha256(path: str) -> str:
    # The client writes beside us: what has become a link or a pipe meanwhile is not followed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file")
        return digest.sha256(file)[0]

"""What the watch remembers: how far it has read, whom it knows, and the events that it saw."""

import hashlib
import os
import time

from .. import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

STATE = "/var/lib/luytre-intrusion"
_FILE = STATE + "/record.json"
_LOCK = "/run/luytre-intrusion/lock"
# One file holds all of them; the controller takes them much more often than they fill it.
MOST_EVENTS = 2000
_LONGEST = 300
# The timer comes every minute; a busy host may be late.
_LONGEST_PAUSE = 600.0


class Record:
    """The one file of the watch, read whole and written whole.

    ``birth`` names this record: another one means that somebody began it anew. Events carry
    numbers that only grow. Where there is no room, what was collected goes first; then new events
    are counted and not kept: the beginning of an intrusion tells more than its noise.
    """

    def __init__(self) -> None:
        self._told = self._read()

    @staticmethod
    def _read() -> "Dict[str, Any]":
        """Return what the file holds; one that cannot be read is put aside, and told as lost."""
        try:
            told: "Dict[str, Any]" = places.load(_FILE)
            if set(told) >= set(_empty()):
                return told
        except FileNotFoundError:
            return _empty()
        except (ValueError, TypeError):
            pass  # it was written whole: somebody else has been at it
        os.replace(_FILE, _FILE + ".aside")
        return _empty()

    @property
    def birth(self) -> str:
        """Return the name of this record."""
        return str(self._told["birth"])

    @property
    def last(self) -> int:
        """Return the number of the newest event."""
        return int(self._told["last"])

    @property
    def dropped(self) -> int:
        """Return how many events were not kept."""
        return int(self._told["dropped"])

    @property
    def watched(self) -> "Optional[float]":
        """Return when the watch looked last (seconds since 1970), None where it never did."""
        watched = self._told["watched"]
        return None if watched is None else float(watched)

    def memory(self, part: str, empty: "Any") -> "Any":
        """Return what one part of the watch remembers; changes of it are kept by :meth:`save`."""
        return self._told["memory"].setdefault(part, empty)

    def remember(self, part: str, told: "Any") -> None:
        """Let a part of the watch remember something else."""
        self._told["memory"][part] = told

    def add(self, what: str, at: float, identity: str, **details: "Any") -> None:
        """Keep an event; ``identity`` is the same whenever the same is seen again."""
        whole = "|".join((what, identity))
        event = {
            "id": hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:32],
            "what": what,
            "at": at,
            "details": {name: shown(value) for name, value in details.items()},
        }
        kept = self._told["events"]
        if any(one["id"] == event["id"] for one in kept):
            return
        if len(kept) >= MOST_EVENTS:
            collected = self._told["collected"]
            kept[:] = [one for one in kept if one["number"] > collected]
        if len(kept) >= MOST_EVENTS:
            self._told["dropped"] += 1
            return
        self._told["last"] += 1
        kept.append(dict(event, number=self._told["last"]))

    def note_pause(self, now: float, up: float) -> None:
        """Keep an event where nobody looked for long, though this host ran; ``up`` for how long."""
        if self.watched is None:
            return
        since = max(self.watched, now - up)
        if now - since > _LONGEST_PAUSE:
            whole = {"since": _moment(since), "until": _moment(now)}
            self.add("stopped", now, str(self.watched), **whole)

    def events(self, after: int, most: int) -> "List[Dict[str, Any]]":
        """Return events after a number, oldest first; those up to it were collected."""
        self._told["collected"] = max(self._told["collected"], min(after, self.last))
        return [one for one in self._told["events"] if one["number"] > after][:most]

    def save(self, *, watched: bool) -> None:
        """Write everything; ``watched``: the watch has looked just now."""
        if watched:
            self._told["watched"] = time.time()
        places.directory(STATE)
        places.save(_FILE, self._told)


def _empty() -> "Dict[str, Any]":
    return {
        "birth": os.urandom(16).hex(),
        "last": 0,
        "collected": 0,
        "dropped": 0,
        "watched": None,
        "events": [],
        "memory": {},
    }


def locked() -> "Any":
    """Keep other passes away while one goes on; a context manager that waits."""
    return places.locked(_LOCK, wait=True)


def shown(value: "Any") -> str:
    """Return text without surrogates, and then of bounded length: whoever caused it chose it."""
    return str(value)[:_LONGEST].encode("utf-8", "backslashreplace").decode()[:_LONGEST]


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(at))

"""restic's own check, a part of the data at a time: what names and hashes alone do not show."""

from . import layout, places, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# restic sorts the data into so many parts (256 at most) by the beginnings of their names.
PARTS = 30
_SECONDS = 6 * 3600
_HOUR = 3600.0
# A client renews its lock every five minutes: an older one stands in nobody's way.
_LOCK_HOURS = 2


def check(client: str, now: float) -> "Dict[str, Any]":
    """Check the structure of a repository and the next part of its data; return what was found.

    States: ``ok``, ``problems``, ``postponed`` (a backup goes on: what it has not ended yet looks
    broken). Raises UpkeepError, OSError.
    """
    path = upkeep.place("check", client)
    state = upkeep.remembered(path, {"part": 0, "last_ok": None})
    place = vault.repository(client)
    newest = layout.newest_lock(place)
    if newest is not None and now - newest < _LOCK_HOURS * _HOUR:
        words = "a lock of the client's is {} s old".format(int(now - newest))
        return dict(state, state="postponed", problems=[words], at=now, parts=PARTS)
    part = state["part"] % PARTS + 1
    before = layout.names(place)
    # With a lock of root's, no backup could begin for hours; what one changes is seen by the names.
    subset = "--read-data-subset={}/{}".format(part, PARTS)
    status, _said, complaints = upkeep.run(client, "check", "--no-lock", subset, seconds=_SECONDS)
    if status != 0 and layout.names(place) != before:
        words = "a backup came meanwhile"
        return dict(state, state="postponed", problems=[words], at=now, parts=PARTS)
    state["part"] = part
    if status == 0:
        state["last_ok"] = now
    places.save(path, state)
    problems = [] if status == 0 else [complaints]
    word = "ok" if status == 0 else "problems"
    return dict(state, state=word, problems=problems, at=now, parts=PARTS)

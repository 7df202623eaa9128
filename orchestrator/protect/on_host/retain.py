"""Retention with guards: what is forgotten is old, looks right, and nobody is writing meanwhile."""

import json
import os

from . import access, guards, layout, places, scrub, snapshots, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set

POLICY = vault.CONFIGURED + "/retention.json"
_SECONDS = 1800
_PRUNE_SECONDS = 6 * 3600
_DAY, _HOUR = 86400.0, 3600.0
_TOLD = 100


def retain(client: str, now: float) -> "Dict[str, Any]":
    """Forget what is older than the policy says, and free its room; return what came of it.

    States: ``done``, ``refused`` (nothing is forgotten until somebody accepts what was found), and
    ``postponed`` (a backup goes on, or may). Raises UpkeepError, OSError, ValueError.
    """
    path = upkeep.place("retention", client)
    state = upkeep.remembered(path, {"suspects": {}, "sizes": {}, "pruned": None})
    work = _Retention(client, state, now)
    try:
        told = work.go()
        state.pop("postponed_since", None)
    except upkeep.Postponed as problem:
        since = state.setdefault("postponed_since", now)
        told = {"state": "postponed", "why": [str(problem)], "postponed_since": since}
    places.save(path, state)
    return dict(told, at=now, pruned=state["pruned"], keep_within=work.policy["keep_within"])


def accept(client: str, ids: "Iterable[str]") -> "List[str]":
    """Say that snapshots which retention refused are right: somebody has looked at them.

    ``ids`` may be their first digits. Returns the snapshots that are accepted by now.
    """
    path = upkeep.place("accepted", client)
    wanted = (*ids, *upkeep.remembered(path, []))
    there = layout.snapshots(vault.repository(client))
    accepted = sorted(name for name in there if name.startswith(wanted))
    places.save(path, accepted)
    return accepted


def mend(client: str) -> None:
    """Put right what a prune left that was killed."""
    if access.is_withdrawn(client):
        # The lock is root's own, and root's restic is dead.
        try:
            upkeep.ask(client, "unlock", seconds=_SECONDS)
        finally:
            access.give_back(client)
    _account_for_removed(client)


class _Retention:
    """One call; ``state`` is what the next one must know."""

    def __init__(self, client: str, state: "Dict[str, Any]", now: float) -> None:
        self.client = client
        self.state = state
        self.now = now
        self.place = vault.repository(client)
        self.policy = guards.policy(upkeep.remembered(POLICY, {}))
        space = os.statvfs(self.place)
        self.low = space.f_bavail * space.f_frsize < self.policy["low_bytes"]

    def go(self) -> "Dict[str, Any]":
        seen = snapshots.of(self.client)
        self._suspect(seen)
        if self.state["suspects"]:
            return _refused(self.state["suspects"])
        ids = {each["id"] for each in seen["snapshots"]}
        doomed = self._doomed()
        if doomed and len(ids) - len(doomed) < self.policy["left_at_least"]:
            words = "only {} of {} snapshots would be left"
            return {"state": "refused", "why": [words.format(len(ids) - len(doomed), len(ids))]}
        told = {"state": "done", "why": [], "forgotten": len(doomed), "freed_bytes": 0}
        if doomed or self._prune_is_due():
            self._keep_off()
            with access.withdrawn(self.client, self.policy["wait_seconds"]):
                self._keep_off()
                if set(layout.snapshots(self.place)) != ids.union(seen["unreadable"]):
                    raise upkeep.Postponed("a snapshot came meanwhile")
                told["freed_bytes"] = self._remove(doomed)
            self.state["pruned"] = self.now
        return dict(told, left=len(ids) - len(doomed))

    def _prune_is_due(self) -> bool:
        days = 1 if self.low else self.policy["prune_days"]
        return bool(self.now - (self.state["pruned"] or 0) > days * _DAY)

    def _suspect(self, seen: "Dict[str, Any]") -> None:
        """Add what looks wrong to what did before: only a person takes something off that list."""
        found = [guards.Snapshot(each) for each in seen["snapshots"]]
        accepted = set(upkeep.remembered(upkeep.place("accepted", self.client), []))
        self._measure(guards.measured(found, accepted))
        told = guards.suspects(found, self.state["sizes"], accepted, self.policy)
        for name in seen["unreadable"]:
            told[name] = {"kind": "unreadable", "why": "restic cannot read it"}
        there = {each.id for each in found} | set(seen["unreadable"])
        since = {"since": self.now}
        told = {each: dict(why, **since) for each, why in told.items()}
        told.update(self.state["suspects"])
        kept = there - accepted
        self.state["suspects"] = {each: why for each, why in told.items() if each in kept}

    def _measure(self, wanted: "Set[str]") -> None:
        sizes = {each: size for each, size in self.state["sizes"].items() if each in wanted}
        for each in sorted(wanted - set(sizes)):
            words = ("stats", "--json", "--no-lock", "--mode", "restore-size", each)
            told = json.loads(upkeep.ask(self.client, *words, seconds=_SECONDS))
            sizes[each] = int(told["total_size"])
        self.state["sizes"] = sizes

    def _doomed(self) -> "List[str]":
        """Return the snapshots that restic would forget.

        Grouped by host and paths, never by tags: each run has a tag of its own, and would keep its
        snapshots for ever.
        """
        words = ["forget", "--json", "--no-lock", "--dry-run", "--group-by", "host,paths"]
        words += ["--keep-within", self.policy["keep_within"]]
        groups = json.loads(upkeep.ask(self.client, *words, seconds=_SECONDS) or "[]")
        return [str(each["id"]) for group in groups for each in group["remove"] or []]

    def _keep_off(self) -> None:
        """Raise Postponed where a client holds a lock that is young: it may be at work."""
        newest = layout.newest_lock(self.place)
        if newest is not None and self.now - newest < self.policy["lock_hours"] * _HOUR:
            words = "a lock of the client's is {} s old"
            raise upkeep.Postponed(words.format(int(self.now - newest)))

    def _remove(self, doomed: "List[str]") -> int:
        """Forget and prune; return the bytes that it freed. The client is out meanwhile."""
        before = layout.walk(self.place, 0)[0]
        places.save(upkeep.place("pruning", self.client), sorted(before))
        try:
            upkeep.ask(self.client, "unlock", seconds=_SECONDS)
            if doomed:
                upkeep.ask(self.client, "forget", *doomed, seconds=_SECONDS)
            # Before 0.15, restic says "done" although it could delete nothing.
            stayed = sorted(set(layout.snapshots(self.place)) & set(doomed))
            if stayed:
                raise upkeep.UpkeepError("restic did not forget {}".format(stayed[0]))
            room = ["--max-repack-size", "0"] if self.low else []
            upkeep.ask(self.client, "prune", *room, seconds=_PRUNE_SECONDS)
        finally:
            _account_for_removed(self.client)
        after = layout.walk(self.place, 0)[0]
        return _bytes(before.values()) - _bytes(after.values())


def _account_for_removed(client: str) -> None:
    """Tell the scrub what a prune took away, be it that it was killed."""
    path = upkeep.place("pruning", client)
    before = upkeep.remembered(path, None)
    if before is not None:
        scrub.removed(client, set(before) - layout.names(vault.repository(client)))
        os.unlink(path)


def _refused(suspects: "Dict[str, Any]") -> "Dict[str, Any]":
    named = [dict(why, id=each) for each, why in sorted(suspects.items())]
    why = sorted({each["kind"] for each in named})
    return {
        "state": "refused",
        "why": why,
        "suspects": named[:_TOLD],
        "suspects_total": len(named),
    }


def _bytes(seen: "Iterable[os.stat_result]") -> int:
    return sum(each.st_size for each in seen)

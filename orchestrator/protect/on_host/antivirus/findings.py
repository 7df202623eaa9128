"""What a scan finds and what goes wrong with it, as it is told."""

import os

from . import bringing_back, contents, layout, quarantine
from .detection import detection, of_kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    from . import paths

_MOST_KEPT = 500
_MOST_NAMED = 20


class Findings:
    """They are gathered, and infected files are taken away where that is wished for."""

    def __init__(self, *, moves: bool) -> None:
        self._moves = moves
        self._shares = quarantine.Shares() if moves else None
        self._detections: "List[Dict[str, Any]]" = []
        self._total = 0
        self._sorts: "Dict[Tuple[int, str], int]" = {}
        self._too_large: "List[str]" = []
        self._too_large_total = 0
        self.problems: "List[Dict[str, str]]" = []

    def detected(self, entry: "paths.Entry", descriptor: int, signature: str) -> None:
        """Take in an open file that holds something, and take it away where that is wished for."""
        seen = os.fstat(descriptor)
        if seen.st_size > layout.LARGEST:
            # Nothing is found in such a file: it grew since.
            self.unconfirmed(entry.path, signature, seen, "it grew meanwhile")
            return
        try:
            digest = contents.digest(descriptor, seen.st_size)
        except OSError as problem:
            self.unconfirmed(entry.path, signature, seen, problem.strerror or "unreadable")
            return
        told = detection(entry.path, signature, seen, digest)
        if self._shares is not None:
            try:
                if bringing_back.was_brought_back(entry.path, digest):
                    raise quarantine.QuarantineError("it was brought back before")
                told = of_kept(quarantine.take(entry, descriptor, signature, self._shares))
            except (quarantine.QuarantineError, OSError) as problem:
                told["left"] = str(problem)
        self._keep(told)

    def unconfirmed(
        self, path: str, signature: str, seen: os.stat_result, why: str, sha256: str = ""
    ) -> None:
        """Take in what was found under a name that stands for something else by now."""
        told = detection(path, signature, seen, sha256)
        told["left"] = "could not be confirmed: {}".format(why)
        self._keep(told)

    def too_large(self, path: str) -> None:
        """Take in a file that was not scanned wholly: it is larger, or unpacks to more, than is."""
        self._too_large_total += 1
        if len(self._too_large) < _MOST_NAMED:
            self._too_large.append(path)

    def problem(self, path: str, why: str) -> None:
        """Take in what could not be scanned."""
        self.problems.append({"path": path, "why": why})

    def told(self) -> "Dict[str, Any]":
        """Return all of it, the lists bounded, with how much there was."""
        return {
            "too_large": self._too_large_total,
            "too_large_paths": self._too_large,
            "detections": varied(self._detections)[:_MOST_KEPT],
            "detections_total": self._total,
            "problems": self.problems[:_MOST_KEPT],
            "problems_total": len(self.problems),
        }

    def _keep(self, told: "Dict[str, Any]") -> None:
        sort = _sort(told)
        self._total += 1
        self._sorts[sort] = self._sorts.get(sort, 0) + 1
        if self._sorts[sort] <= _MOST_KEPT:
            self._detections.append(told)


def varied(found: "List[Dict[str, Any]]") -> "List[Dict[str, Any]]":
    """Return detections so that many of one sort hide none of another.

    Those whose file is still there come first; then owners take turns, and of each owner the
    signatures. Whatever was taken away is told by the quarantine as well.
    """
    turns = _by_turns(_by_turns(found, _sort), lambda one: one["uid"])
    return sorted(turns, key=lambda one: bool(one["quarantine"]))


def _by_turns(
    found: "List[Dict[str, Any]]", sort: "Callable[[Dict[str, Any]], Any]"
) -> "List[Dict[str, Any]]":
    """Return the first of each sort, then the second of each, and so on."""
    count: "Dict[Any, int]" = {}
    turns = []
    for one in found:
        count[sort(one)] = turn = count.get(sort(one), 0) + 1
        turns.append((turn, one))
    return [one for _turn, one in sorted(turns, key=lambda pair: pair[0])]


def _sort(told: "Dict[str, Any]") -> "Tuple[int, str]":
    return told["uid"], told["signature"]

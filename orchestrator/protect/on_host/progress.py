"""How far a run is: whoever follows it reads a file."""

import time

from . import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAUSE = 1.0


class Progress:
    """Says how far one run is, once a second at most."""

    def __init__(self, path: str, run: str) -> None:
        self._path = path
        self._run = run
        self._last = 0.0

    def say(self, part: str, done: int = 0, total: int = 0) -> None:
        """Tell of one part how many bytes of all are done; 0 of all where nobody knows."""
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            told: "Any" = {"part": part, "bytes": done, "total": total, "run": self._run}
            places.save(self._path, dict(told, at=time.time()))

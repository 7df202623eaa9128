"""Tell clamscan names while it scans, and know which ones it has not answered yet."""

import contextlib
import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Dict, Iterable, Optional, Tuple

_WARNING = b"WARNING: "


class Feeder(threading.Thread):
    """It tells clamscan names as fast as that takes them: no list of all of them is ever kept."""

    def __init__(self, listed: "Iterable[Tuple[str, Any]]", target: "IO[bytes]") -> None:
        super().__init__(daemon=True)
        self._listed = listed
        self._target = target
        # What was not answered yet.
        self.waiting: "Dict[str, Any]" = {}
        self.problem: "Optional[Exception]" = None

    def run(self) -> None:
        """Tell all of them; a scanner that ended takes no more."""
        try:
            for name, about in self._listed:
                self.waiting[name] = about
                self._target.write(os.fsencode(name) + b"\n")
        except BrokenPipeError:
            pass
        except Exception as problem:  # noqa: BLE001 - raised where it can be handled
            self.problem = problem
        finally:
            with contextlib.suppress(BrokenPipeError):
                self._target.close()

    def told_of(self, line: bytes) -> "Tuple[str, str]":
        """Return the name and the verdict of a line; no verdict has a colon and a blank in it."""
        told, _colon, verdict = line.rpartition(b": ")
        name = os.fsdecode(told)
        if name not in self.waiting and told.startswith(_WARNING):
            name = os.fsdecode(told[len(_WARNING) :])
        return name, verdict.decode("utf-8", "replace")

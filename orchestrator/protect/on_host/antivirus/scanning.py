"""One scan of the paths that are wished for, and what came of it."""

import os
import time

from . import engines, layout, paths, publishing, quarantine, second_look
from .findings import Findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Tuple, Union

FORMAT = 1
# Kernel and devices; what clamd and we hold ourselves, the signatures that we serve among it.
_LEFT_OUT = ("/proc", "/sys", "/dev", "/run", "/var/lib/clamav", layout.STATE, publishing.ROOT)
# clamscan cuts the lines of a list at 1023 bytes.
_LONGEST_NAME = 1000
# One file may end clamd: it is waited for, so long in all, while it starts anew (seconds).
_PATIENCE = 900.0
# For so many files a scan waits until the kernel takes somebody's lease away, 45 seconds each.
_MOST_WAITS = 8


class Scan:
    """A scan that goes on: how much was seen, what was found."""

    def __init__(self, wish: "Dict[str, Any]") -> None:
        there = [path for path in wish.get("paths_if_there", ()) if os.path.exists(path)]
        self._tops = [os.path.realpath(path) for path in [*wish["paths"], *there]]
        self._left_out = [*_LEFT_OUT, *wish["excludes"]]
        self._waits = 0
        self._patience = _PATIENCE
        self.findings = Findings(moves=bool(wish["quarantine"]))
        self.files = self.size = 0

    def go(self, engine: "Union[engines.Clamd, engines.Clamscan]") -> None:
        """Scan everything; raises ScanError where the scanner itself fails."""
        if isinstance(engine, engines.Clamd):
            self._by_daemon(engine)
        else:
            self._by_program(engine)

    def _by_daemon(self, daemon: engines.Clamd) -> None:
        for entry in self._entries():
            try:
                descriptor = self._opened(entry)
            except paths.Gone:
                continue
            except OSError as problem:
                self.findings.problem(entry.path, problem.strerror or "unreadable")
                continue
            try:
                self._scanned(entry, descriptor, daemon.scan(descriptor))
            except engines.ScanError as problem:
                self.findings.problem(entry.path, str(problem))
                self._await(daemon)
            finally:
                os.close(descriptor)

    def _await(self, daemon: engines.Clamd) -> None:
        """Wait for clamd where a file has ended it; raises ScanError where it stays away."""
        began = time.monotonic()
        daemon.require(self._patience)
        self._patience = max(0.0, self._patience - (time.monotonic() - began))

    def _scanned(self, entry: "paths.Entry", descriptor: int, signature: str) -> None:
        if engines.is_limit(signature):
            self.findings.too_large(entry.path)
        elif signature:
            self.findings.detected(entry, descriptor, signature)

    def _by_program(self, program: engines.Clamscan) -> None:
        """Let clamscan look at everything by name, then at copies of what seems to hold something.

        Where it fails on the way, what it found until then is not lost.
        """
        look = second_look.SecondLook(self.findings)
        try:
            for path, seen, verdict in program.verdicts(self._listable(look)):
                signature = engines.found(verdict)
                if engines.is_limit(signature):
                    self.findings.too_large(path)
                elif signature:
                    look.suspect(path, seen, signature)
                elif verdict not in engines.OK:
                    self._unscanned(path, verdict)
            look.go(program)
        finally:
            look.give_up()

    def _listable(self, look: "second_look.SecondLook") -> "Iterator[Tuple[str, os.stat_result]]":
        """Yield what can be named in a list: no name with a line break, and no very long one."""
        for entry in self._entries():
            name = os.fsencode(entry.path)
            if b"\n" in name or b"\r" in name or len(name) > _LONGEST_NAME:
                look.unlisted(entry.path, entry.seen)
            else:
                yield entry.path, entry.seen

    def _unscanned(self, path: str, verdict: str) -> None:
        """Take in that a file was not scanned; that is no problem where it is gone."""
        try:
            if path and not paths.is_there(path):
                return
        except OSError as problem:
            verdict = problem.strerror or verdict
        self.findings.problem(path, verdict or "it was not scanned")

    def _entries(self) -> "Iterator[paths.Entry]":
        for top in self._tops:
            for entry in paths.files(top, self._left_out, self.findings.problems):
                self.files += 1
                self.size += entry.seen.st_size
                yield entry

    def _opened(self, entry: "paths.Entry") -> int:
        try:
            return paths.open_file(entry.directory, entry.name, wait=False)
        except BlockingIOError:
            if self._waits == _MOST_WAITS:
                raise
            self._waits += 1
            return paths.open_file(entry.directory, entry.name)


def scan(wish: "Dict[str, Any]") -> "Dict[str, Any]":
    """Scan as is wished; return what came of it: ``done``, ``partial`` or ``failed``."""
    started = time.time()
    made = Scan(wish)
    name, state = "", ""
    try:
        quarantine.tidy()
        engine = engines.engine()
        name = engine.name
        made.go(engine)
    except (engines.ScanError, OSError) as problem:
        made.findings.problem("", str(problem))
        state = "failed"
    return {
        "format": FORMAT,
        "state": state or ("partial" if made.findings.problems else "done"),
        "engine": name,
        "started": started,
        "ended": time.time(),
        "files": made.files,
        "bytes": made.size,
        **made.findings.told(),
    }

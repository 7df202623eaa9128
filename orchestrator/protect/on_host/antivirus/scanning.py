"""One scan of the paths that are wished for, and what came of it."""

import hashlib
import os
import shutil
import time

from .. import places
from . import engines, layout, paths, quarantine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

FORMAT = 1
_PIECE = 1 << 20
# Kernel and devices; what clamd and we hold ourselves.
_LEFT_OUT = ("/proc", "/sys", "/dev", "/run", "/var/lib/clamav", layout.STATE)
_MOST_KEPT = 500
# The kernel's PATH_MAX is 4096, with the byte at the end.
_LONGEST_NAME = 4095
# With so many files in a row that clamd cannot scan, it is clamd.
_MOST_IN_A_ROW = 3
# Suspects on a small server are scanned a second time; so much of them is copied for that (bytes).
_MOST_STAGED = 1 << 30


class Scan:
    """A scan that goes on: what was found, what went wrong."""

    def __init__(self, wish: "Dict[str, Any]") -> None:
        self._tops = [os.path.realpath(path) for path in wish["paths"]]
        self._left_out = [*_LEFT_OUT, *wish["excludes"]]
        self._moves = bool(wish["quarantine"])
        self.detections: "List[Dict[str, Any]]" = []
        self.problems: "List[Dict[str, str]]" = []
        self.files = self.size = self.too_large = 0

    def go(self, engine: "Union[engines.Clamd, engines.Clamscan]") -> None:
        """Scan everything; raises ScanError where the scanner itself fails."""
        if isinstance(engine, engines.Clamd):
            self._by_daemon(engine)
        else:
            self._by_program(engine)

    def _by_daemon(self, daemon: engines.Clamd) -> None:
        failed = 0
        for top in self._tops:
            for entry in paths.files(top, self._left_out, self.problems):
                self._count(entry)
                try:
                    descriptor = paths.open_file(entry.directory, entry.name)
                except OSError:
                    continue  # gone, or no file any more
                try:
                    signature = daemon.scan(descriptor)
                    if signature:
                        self._detected(entry, descriptor, signature)
                    failed = 0
                except engines.ScanError as problem:
                    self.problems.append({"path": entry.path, "why": str(problem)})
                    failed += 1
                    if failed == _MOST_IN_A_ROW:
                        raise
                finally:
                    os.close(descriptor)

    def _by_program(self, program: engines.Clamscan) -> None:
        """Let clamscan look at everything by name, then at copies of what seems to hold something.

        A name with a line break cannot be listed, a very long one not opened: such a file is copied
        as a suspect.
        """
        places.directory(layout.STAGING)
        listing = os.path.join(layout.STAGING, "listing")
        suspects: "List[str]" = []
        with open(listing, "wb") as file:
            for top in self._tops:
                for entry in paths.files(top, self._left_out, self.problems):
                    self._count(entry)
                    name = os.fsencode(entry.path)
                    if b"\n" in name or b"\r" in name or len(name) > _LONGEST_NAME:
                        suspects.append(entry.path)
                    else:
                        file.write(name + b"\n")
        found, complaints = program.suspects(listing)
        self.problems += [{"path": "", "why": line} for line in complaints]
        self._confirm(program, suspects + found)

    def _confirm(self, program: engines.Clamscan, suspects: "List[str]") -> None:
        copies = os.path.join(layout.STAGING, "copies")
        shutil.rmtree(copies, ignore_errors=True)
        places.directory(copies)
        staged: "Dict[str, Tuple[str, os.stat_result]]" = {}
        room = _MOST_STAGED
        for number, path in enumerate(dict.fromkeys(suspects)):
            seen = _stage(path, os.path.join(copies, str(number)), room)
            if seen is None:
                self.problems.append({"path": path, "why": "it could not be scanned again"})
            else:
                staged[str(number)] = (path, seen)
                room -= seen.st_size
        for name, signature in (program.staged(copies) if staged else {}).items():
            path, seen = staged[name]
            self._found_again(path, seen, signature)
        shutil.rmtree(layout.STAGING)

    def _found_again(self, path: str, seen: os.stat_result, signature: str) -> None:
        """Tell of a suspect whose copy was found to hold something."""
        try:
            directory = paths.open_directory(os.path.dirname(path))
            try:
                descriptor = paths.open_file(directory, os.path.basename(path))
                try:
                    entry = paths.Entry(path, directory, os.path.basename(path), seen)
                    if paths.is_still(directory, entry.name, seen):
                        self._detected(entry, descriptor, signature)
                finally:
                    os.close(descriptor)
            finally:
                os.close(directory)
        except OSError as problem:
            self.problems.append({"path": path, "why": problem.strerror or "gone"})

    def _count(self, entry: "paths.Entry") -> None:
        self.files += 1
        self.size += entry.seen.st_size
        self.too_large += entry.seen.st_size > layout.LARGEST

    def _detected(self, entry: "paths.Entry", descriptor: int, signature: str) -> None:
        seen = os.fstat(descriptor)
        told = {
            "path": entry.path,
            "signature": signature,
            "sha256": _digest(descriptor),
            "size": seen.st_size,
            "uid": seen.st_uid,
            "mode": seen.st_mode & 0o7777,
            "changed_ns": seen.st_ctime_ns,
            "inode": seen.st_ino,
            "quarantine": "",
            "left": "",
        }
        if self._moves:
            try:
                told["quarantine"] = quarantine.take(entry, descriptor, signature)
            except (quarantine.QuarantineError, OSError) as problem:
                told["left"] = str(problem)
        self.detections.append(told)


def scan(wish: "Dict[str, Any]") -> "Dict[str, Any]":
    """Scan as is wished; return what came of it: ``done``, ``partial`` or ``failed``."""
    started, made = time.time(), Scan(wish)
    name, state = "", "done"
    try:
        engine = engines.engine()
        name = engine.name
        made.go(engine)
        state = "partial" if made.problems else "done"
    except (engines.ScanError, OSError) as problem:
        made.problems.append({"path": "", "why": str(problem)})
        state = "failed"
    return {
        "format": FORMAT,
        "state": state,
        "engine": name,
        "started": started,
        "ended": time.time(),
        "files": made.files,
        "bytes": made.size,
        "too_large": made.too_large,
        "detections": made.detections[:_MOST_KEPT],
        "detections_total": len(made.detections),
        "problems": made.problems[:_MOST_KEPT],
        "problems_total": len(made.problems),
    }


def _stage(path: str, copy: str, room: int) -> "Optional[os.stat_result]":
    """Copy a file that is not too large; return how it stood, None where it cannot be copied."""
    try:
        directory = paths.open_directory(os.path.dirname(path))
        try:
            descriptor = paths.open_file(directory, os.path.basename(path))
        finally:
            os.close(directory)
        try:
            seen = os.fstat(descriptor)
            if seen.st_size > min(room, layout.LARGEST):
                return None
            with open(copy, "wb") as file:
                for piece in _pieces(descriptor):
                    file.write(piece)
            return seen
        finally:
            os.close(descriptor)
    except OSError:
        return None


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(descriptor):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(descriptor: int) -> "Iterator[bytes]":
    at = 0
    while True:
        piece = os.pread(descriptor, _PIECE, at)
        if not piece:
            return
        at += len(piece)
        yield piece

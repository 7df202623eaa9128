"""The second look of clamscan: at copies, as it knows files by names only, which others change.

Whatever it found at first is told, whether or not the second look confirms it.
"""

import os
import shutil

from .. import places
from . import contents, engines, layout, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, Optional, Tuple

    from .findings import Findings

# So much is copied of what it found, and so much of what it could not be told by name (bytes).
_MOST_COPIED = 1 << 30


class _Suspect:
    """A file: how it stood when it was met (None: it never was), what was found in it."""

    def __init__(self, path: str, seen: "Optional[os.stat_result]", signature: str) -> None:
        self.path = path
        self.seen = seen
        self.signature = signature


class SecondLook:
    """It gathers suspects, copies them, has the copies scanned."""

    def __init__(self, findings: "Findings") -> None:
        self._findings = findings
        self._suspects: "Dict[str, _Suspect]" = {}
        self._unlisted: "Dict[str, _Suspect]" = {}
        # clamscan tells names without links.
        self._copies = os.path.join(os.path.realpath(layout.STAGING), "copies")

    def suspect(self, path: str, seen: "Optional[os.stat_result]", signature: str) -> None:
        """Gather a file in which something was found."""
        self._suspects[path] = _Suspect(path, seen, signature)

    def unlisted(self, path: str, seen: os.stat_result) -> None:
        """Gather a file that clamscan could not be told by its name."""
        self._unlisted[path] = _Suspect(path, seen, "")

    def go(self, program: engines.Clamscan) -> None:
        """Copy and scan them; raises ScanError."""
        shutil.rmtree(layout.STAGING, ignore_errors=True)
        places.directory(self._copies)
        staged = dict(self._staged())
        if staged:
            listed = ((copy, one) for copy, one in staged.items())
            for copy, one, verdict in program.verdicts(listed):
                if one is None:
                    self._findings.problem("", verdict)
                else:
                    self._looked(copy, *one, verdict=verdict)

    def give_up(self) -> None:
        """Tell of what nobody looked at again, as the scan ends; nothing stays copied."""
        for one in [*self._suspects.values(), *self._unlisted.values()]:
            self._fails(one, "the scan ended before")
        shutil.rmtree(layout.STAGING, ignore_errors=True)

    def _staged(self) -> "Iterator[Tuple[str, Tuple[_Suspect, os.stat_result]]]":
        """Copy what was found first: many of the others must not take its room."""
        number = 0
        for gathered in (self._suspects, self._unlisted):
            room = _MOST_COPIED
            for one in list(gathered.values()):
                copy = os.path.join(self._copies, str(number))
                number += 1
                seen = self._stage(one, copy, room)
                if seen is not None:
                    room -= seen.st_size
                    yield copy, (one, seen)

    def _stage(self, one: _Suspect, copy: str, room: int) -> "Optional[os.stat_result]":
        """Copy a file; return how it stood, None where it was not copied, which is told."""
        try:
            descriptor = _opened(one.path)
            try:
                seen = os.fstat(descriptor)
                if seen.st_size > layout.LARGEST:
                    self._is_too_large(one)
                    return None
                _copy(descriptor, copy, seen.st_size, room)
                return seen
            finally:
                os.close(descriptor)
        except paths.Gone:
            self._is_gone(one)
        except (contents.ContentError, OSError) as problem:
            self._fails(one, str(problem))
        return None

    def _looked(self, copy: str, one: _Suspect, seen: os.stat_result, *, verdict: str) -> None:
        """Take in what was said of a copy."""
        signature = engines.found(verdict)
        if engines.is_limit(signature):
            self._is_too_large(one)
        elif signature:
            self._found_again(copy, one, seen, signature)
        elif verdict not in engines.OK:
            self._fails(one, verdict or "it was not scanned")
        else:
            self._is_gone(one)

    def _found_again(self, copy: str, one: _Suspect, seen: os.stat_result, signature: str) -> None:
        """Tell of a file whose copy was found to hold something; it is no longer gathered."""
        self._done(one)
        try:
            directory = paths.open_directory(os.path.dirname(one.path))
            try:
                entry = paths.Entry(one.path, directory, os.path.basename(one.path), seen)
                descriptor = paths.open_file(directory, entry.name)
                try:
                    if os.path.samestat(os.fstat(descriptor), seen):
                        self._findings.detected(entry, descriptor, signature)
                        return
                finally:
                    os.close(descriptor)
            finally:
                os.close(directory)
            why = "another file has its name by now"
        except OSError as problem:
            why = problem.strerror or "gone"
        self._findings.unconfirmed(one.path, signature, seen, why, _digest(copy, seen))

    def _is_too_large(self, one: _Suspect) -> None:
        if one.signature:
            self._fails(one, "it grew meanwhile")
        else:
            self._done(one)
            self._findings.too_large(one.path)

    def _is_gone(self, one: _Suspect) -> None:
        """Tell of what was found at first and is not there any more; of others it is no matter."""
        if one.signature:
            self._fails(one, "it changed meanwhile")
        else:
            self._done(one)

    def _fails(self, one: _Suspect, why: str) -> None:
        self._done(one)
        if one.signature and one.seen is not None:
            self._findings.unconfirmed(one.path, one.signature, one.seen, why)
        else:
            self._findings.problem(one.path, "{}, {}".format(one.signature or "not scanned", why))

    def _done(self, one: _Suspect) -> None:
        self._suspects.pop(one.path, None)
        self._unlisted.pop(one.path, None)


def _opened(path: str) -> int:
    directory = paths.directory_of(path)
    try:
        return paths.open_file(directory, os.path.basename(path))
    finally:
        os.close(directory)


def _copy(descriptor: int, copy: str, size: int, room: int) -> None:
    if size > room:
        raise contents.ContentError("too much to copy")
    contents.require_room(os.path.dirname(copy), size)
    with open(copy, "wb", buffering=0) as file:
        contents.copy(descriptor, file.fileno(), size)


def _digest(copy: str, seen: os.stat_result) -> str:
    with open(copy, "rb") as file:
        return contents.digest(file.fileno(), seen.st_size)

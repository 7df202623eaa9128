"""Read on in the journal from where the last pass came to."""

import json
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Sequence

_SECONDS = 120
# Anybody can fill the journal: the rest is the next pass's.
LINES = 20000
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_UID,_COMM,_EXE"


class JournalError(Exception):
    """The journal could not be read; the text says why."""


class Reading:
    """The entries of some programs after a cursor (all that there are, where there is none).

    Afterwards ``cursor`` is where the next pass goes on, ``behind`` tells that there are more
    entries, and ``cut`` that the entry where the last pass came to is not there any more.
    """

    def __init__(self, cursor: "Optional[str]", identifiers: "Sequence[str]") -> None:
        self.cursor = cursor
        self.cut = False
        self.behind = False
        self._identifiers = identifiers

    def entries(self) -> "Iterator[Dict[str, Any]]":
        """Yield the entries; raises JournalError."""
        begun = self.cursor
        # The journal's end as it is now, whoever wrote it: what is vacuumed first is far from it.
        end = self._one("--lines=1")
        if begun is not None:
            there = self._one("--lines=1", "--cursor=" + begun)
            self.cut = there is None or there["__CURSOR"] != begun
        newest = None
        for number, line in enumerate(_lines(self._words(begun))):
            entry = _entry(line)
            if number == LINES:
                self.behind = True
                return
            self.cursor = str(entry["__CURSOR"])
            newest = entry
            if self.cursor != begun:
                yield entry
        if end is not None and _at(end) > _at(newest):
            self.cursor = str(end["__CURSOR"])

    def _words(self, begun: "Optional[str]") -> "List[str]":
        words = ["--cursor=" + begun] if begun else []
        return words + ["SYSLOG_IDENTIFIER=" + name for name in self._identifiers]

    def _one(self, *words: str) -> "Optional[Dict[str, Any]]":
        """Return one entry, whoever wrote it; None where there is none."""
        found = None
        for line in _lines(words):
            found = found or _entry(line)
        return found


def _entry(line: bytes) -> "Dict[str, Any]":
    told: "Dict[str, Any]" = json.loads(line.decode("utf-8", "replace"))
    return told


def _at(entry: "Optional[Dict[str, Any]]") -> int:
    """Return when the journal received an entry (microseconds since 1970)."""
    return int(entry["__REALTIME_TIMESTAMP"]) if entry else 0


def _lines(more: "Sequence[str]") -> "Iterator[bytes]":
    """Yield the lines that journalctl writes; raises JournalError where it ended before its time.

    Whoever stops listening ends it.
    """
    words = ["timeout", str(_SECONDS), "journalctl", "--quiet", "--no-pager", "--output=json"]
    words += ["--output-fields=" + _FIELDS, *more]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield from process.stdout
            said = " ".join(process.stderr.read().decode("utf-8", "replace").split())
        except GeneratorExit:
            process.kill()
            raise
    # It ends with 1 where it finds nothing, and where it fails; then it says why.
    if process.returncode not in (0, 1) or (process.returncode == 1 and said):
        why = said[-200:] or "it ended with {}".format(process.returncode)
        raise JournalError("journalctl: {}".format(why))

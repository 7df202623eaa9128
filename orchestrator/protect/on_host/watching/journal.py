"""Read on in the journal from where the last pass came to."""

import json
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Sequence

_SECONDS = 120
# Anybody can fill the journal: the rest is the next pass's.
LINES = 20000
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_UID,_COMM,_BOOT_ID"


class JournalError(Exception):
    """The journal could not be read; the text says why."""


class Reading:
    """The entries of some programs after a cursor (all that there are, where there is none).

    Afterwards ``cursor`` is where the next pass goes on, and ``cut`` tells that the entry where the
    last one came to is not there any more.
    """

    def __init__(self, cursor: "Optional[str]", identifiers: "Sequence[str]") -> None:
        self.cursor = cursor
        self.cut = False
        self._identifiers = identifiers

    def entries(self) -> "Iterator[Dict[str, Any]]":
        """Yield the entries; raises JournalError."""
        begun = self.cursor
        for number, line in enumerate(self._lines()):
            entry = json.loads(line.decode("utf-8", "replace"))
            self.cursor = entry["__CURSOR"]
            if begun is not None and number == 0:
                if self.cursor == begun:
                    continue
                self.cut = True
            yield entry

    def _words(self) -> "List[str]":
        words = ["timeout", str(_SECONDS), "journalctl", "--quiet", "--no-pager"]
        words += ["--output=json", "--output-fields=" + _FIELDS]
        words += ["--cursor=" + self.cursor] if self.cursor else []
        return words + ["SYSLOG_IDENTIFIER=" + name for name in self._identifiers]

    def _lines(self) -> "Iterator[bytes]":
        words = self._words()
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for number, line in enumerate(process.stdout):
                if number == LINES:
                    process.kill()
                    return
                yield line
            said = " ".join(process.stderr.read().decode("utf-8", "replace").split())
        # journalctl ends with 1 where it finds nothing.
        if process.returncode != 0 and said:
            raise JournalError("journalctl: {}".format(said[-500:]))

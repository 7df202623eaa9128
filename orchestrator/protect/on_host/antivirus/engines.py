"""The two scanners: clamd where it is installed, otherwise clamscan.

clamd is handed open files: no name of a file is told to it, and none is read from what it answers.
"""

import array
import os
import re
import socket
import subprocess

from ..running import one_line
from . import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Tuple, Union

# clamd.conf bounds a scan to two minutes.
_SECONDS = 180.0
_LONGEST_ANSWER = 4096
# clamscan(1), "RETURN CODES": nothing found, something found, some errors.
_CLEAN, _FOUND, _ERRORS = 0, 1, 2
_LIMITS = ("--max-filesize=100M", "--max-scansize=400M", "--max-scantime=120000")
# With ExtendedDetectionInfo, sum and size of the file follow the name.
_SIGNATURE = re.compile(r"([A-Za-z0-9_.:/+-]{1,200})(\([0-9a-f]+:\d+\))?")


class ScanError(Exception):
    """Something could not be scanned; the text says why."""


class Clamd:
    """The daemon, over its socket."""

    name = "clamd"

    def scan(self, descriptor: int) -> str:
        """Return what an open file holds, empty for nothing; raises ScanError."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_SECONDS)
            connection.connect(layout.SOCKET)
            connection.sendall(b"zFILDES\0")
            rights = array.array("i", [descriptor])
            connection.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            return _answered(_whole(connection))
        except OSError as problem:
            raise ScanError("clamd does not answer: {}".format(problem)) from problem
        finally:
            connection.close()

    def require(self) -> None:
        """Raise ScanError where it does not answer."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_SECONDS)
            connection.connect(layout.SOCKET)
            connection.sendall(b"zPING\0")
            if _whole(connection) != "PONG":
                raise ScanError("clamd does not answer")
        except OSError as problem:
            raise ScanError("clamd does not answer: {}".format(problem)) from problem
        finally:
            connection.close()


class Clamscan:
    """The program that loads the signatures for each call; it takes many files at once."""

    name = "clamscan"

    def suspects(self, listing: str) -> "Tuple[List[str], List[str]]":
        """Return which of the files named in a listing, one a line, seem to hold something.

        And what it complained of. What is behind a name may have changed meanwhile: whoever acts on
        it scans a copy. Raises ScanError.
        """
        lines = self._run(["--infected", "--file-list=" + listing])
        return [path for path, _signature in _found(lines)], _complaints(lines)

    def staged(self, directory: str) -> "Dict[str, str]":
        """Return name → what it holds, of the files in a directory that is root's alone."""
        lines = self._run(["--infected", "--recursive=no", directory])
        return {os.path.basename(path): signature for path, signature in _found(lines)}

    def _run(self, words: "List[str]") -> "List[str]":
        argv = ["clamscan", "--stdout", "--no-summary"]
        try:
            done = subprocess.run(
                argv + list(_LIMITS) + words,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=dict(os.environ, LC_ALL="C.UTF-8"),
                check=False,
            )
        except OSError as problem:
            raise ScanError("clamscan: {}".format(problem.strerror)) from problem
        if done.returncode not in (_CLEAN, _FOUND, _ERRORS) or _loads_nothing(done.stderr):
            why = one_line(done.stderr or done.stdout)
            raise ScanError("clamscan ended with {}: {}".format(done.returncode, why))
        # Names may hold what Python takes for the end of a line.
        return [os.fsdecode(line) for line in done.stdout.split(b"\n")]


def engine() -> "Union[Clamd, Clamscan]":
    """Return the scanner of this host; raises ScanError where it does not work.

    Where clamd is installed, clamscan does not stand in for it: the signatures would be in memory
    twice.
    """
    if not os.path.exists(layout.DAEMON):
        return Clamscan()
    daemon = Clamd()
    daemon.require()
    return daemon


def _whole(connection: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < _LONGEST_ANSWER:
        chunk = connection.recv(_LONGEST_ANSWER)
        if not chunk:
            break
        said += chunk
    return said.rstrip(b"\0").decode("utf-8", "replace")


def _answered(said: str) -> str:
    told = said.partition(": ")[2]
    if told == "OK":
        return ""
    signature, _blank, verdict = told.rpartition(" ")
    if verdict == "FOUND":
        return _named(signature)
    raise ScanError("clamd: {}".format(said[:200] or "it said nothing"))


def _found(lines: "Iterable[str]") -> "List[Tuple[str, str]]":
    """Return (path, signature); the last colon divides, as no signature has a blank behind one."""
    found = []
    for line in lines:
        told, _blank, verdict = line.rpartition(" ")
        path, _colon, signature = told.rpartition(": ")
        if verdict == "FOUND" and path:
            found.append((path, _named(signature)))
    return found


def _named(signature: str) -> str:
    known = _SIGNATURE.fullmatch(signature)
    return known.group(1) if known else "unknown"


def _complaints(lines: "Iterable[str]") -> "List[str]":
    return [line for line in lines if line.endswith(" ERROR") or line.startswith("ERROR: ")]


def _loads_nothing(said: bytes) -> bool:
    return b"No supported database files" in said or b"Malformed database" in said

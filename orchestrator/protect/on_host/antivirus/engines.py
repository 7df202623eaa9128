"""The two scanners: clamd where it is installed, otherwise clamscan.

clamd is handed open files: no name of a file is told to it, and none is read from what it answers.
"""

import array
import os
import re
import socket
import subprocess
import tempfile
import time

from ..running import one_line
from . import layout
from .feeding import Feeder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Iterable, Iterator, Tuple, Union

# clamd.conf bounds a scan to two minutes.
_SECONDS = 180.0
_LONGEST_ANSWER = 4096
# Between two questions whether it is there again (seconds).
_PAUSE = 2.0
# clamscan(1), "RETURN CODES": nothing found, something found, some errors.
_NOTHING, _SOMETHING, _ERRORS = 0, 1, 2
_LIMITS = (
    *("--max-filesize=100M", "--max-scansize=400M", "--max-scantime=120000"),
    "--alert-exceeds-max=yes",
)
# What clamscan says of a file that it scanned whole and in which it found nothing.
OK = ("OK", "Empty file")
_FOUND = " FOUND"
_LIMIT = re.compile(r"Heuristics\.Limits\.Exceeded(\.[A-Za-z]+)?")
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

    def require(self, patience: float = 0.0) -> None:
        """Raise ScanError where it does not answer within so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self._ping()
                return
            except ScanError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)

    def _ping(self) -> None:
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

    def verdicts(self, listed: "Iterable[Tuple[str, Any]]") -> "Iterator[Tuple[str, Any, str]]":
        """Yield of each name what came with it and what was said of it; empty where nothing was.

        What is behind a name may have changed meanwhile: whoever acts on it scans a copy. What was
        said of a name that was not listed comes with None; a complaint of the whole, with no name.
        ``listed`` is asked by a thread, while the scan goes on. Raises ScanError, and what
        ``listed`` raises; clamscan ends where nobody asks any more.
        """
        with tempfile.TemporaryFile() as complaints:
            process = _started(complaints)
            feeder = Feeder(listed, process.stdin)  # type: ignore[arg-type]
            feeder.start()
            said = complained = False
            try:
                for line in process.stdout or ():
                    name, verdict = feeder.told_of(line.rstrip(b"\n"))
                    is_listed = name in feeder.waiting
                    said = said or is_listed
                    complained = complained or (is_listed and not _is_verdict(verdict))
                    if is_listed or verdict.endswith(_FOUND):
                        yield name, feeder.waiting.pop(name, None), verdict
                code = process.wait()
            finally:
                process.kill()
                process.wait()
                feeder.join()
                process.stdout.close()  # type: ignore[union-attr]
            if feeder.problem is not None:
                raise feeder.problem
            complaints.seek(0)
            _require_scanned(code, complaints.read()[-_LONGEST_ANSWER:], said)
            yield from ((name, about, "") for name, about in feeder.waiting.items())
            if code == _ERRORS and not feeder.waiting and not complained:
                yield "", None, "clamscan ended with errors"


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


def found(verdict: str) -> str:
    """Return the signature of a verdict of clamscan, empty where it found nothing."""
    signature, _blank, word = verdict.rpartition(" ")
    return _named(signature) if word == "FOUND" else ""


def _is_verdict(said: str) -> bool:
    return said in OK or said.endswith(_FOUND)


def is_limit(signature: str) -> bool:
    """Return whether a name says that a file was not scanned wholly, and nothing of what it holds.

    Signatures of our own cannot have it: theirs end with UNOFFICIAL.
    """
    return bool(_LIMIT.fullmatch(signature))


def _named(signature: str) -> str:
    known = _SIGNATURE.fullmatch(signature)
    return known.group(1) if known else "unknown"


def _started(complaints: "IO[bytes]") -> "subprocess.Popen[bytes]":
    argv = ["clamscan", "--stdout", "--no-summary", *_LIMITS, "--file-list=/dev/stdin"]
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
    except OSError as problem:
        raise ScanError("clamscan: {}".format(problem.strerror)) from problem


def _require_scanned(code: int, complaints: bytes, said: bool) -> None:
    """Raise ScanError where clamscan ended as it should not, or scanned nothing and complains."""
    if code not in (_NOTHING, _SOMETHING, _ERRORS) or (code == _ERRORS and not said):
        raise ScanError("clamscan ended with {}: {}".format(code, one_line(complaints)))

"""Run a command as on a terminal and note when it tells each step of each host."""

import os
import pty
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from bench.ground import PROGRAM, Ground

_LINE = re.compile(r"\d\d:\d\d:\d\d +(\S+) +(\S.*)")


class Step(NamedTuple):
    """A step that was told ``at`` so many seconds after the start."""

    at: float
    host: str
    name: str


def run_and_read(here: Ground, *arguments: str) -> tuple[list[Step], float]:
    """Run one command with a terminal for its messages; return the steps and the seconds."""
    started = time.monotonic()
    ours, theirs = pty.openpty()
    steps: list[Step] = []
    lines: list[str] = []

    def read() -> None:
        for line in _lines(ours):
            lines.append(line)
            found = _LINE.match(line)
            if found:
                steps.append(Step(time.monotonic() - started, found[1], found[2].strip()))

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.Popen(
        [PROGRAM, "--workspace", str(here.desk), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    code = process.wait()
    seconds = time.monotonic() - started
    reader.join()
    os.close(ours)
    if code not in (0, 3):
        raise RuntimeError(f"{arguments} ended with {code}: {' '.join(lines[-5:])}")
    return steps, seconds


def _lines(descriptor: int) -> Iterator[str]:
    """Yield what is said on a terminal until its other side is closed everywhere."""
    kept = b""
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # EIO: nobody holds the other side any more
            return
        *whole, kept = (kept + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")

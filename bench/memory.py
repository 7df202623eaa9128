"""Peaks of a command, in memory and open descriptors, read from /proc."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PAUSE = 0.004


class Peaks(NamedTuple):
    """Resident memory (KiB) of a command and of its largest child, and its open descriptors."""

    own: int
    child: int
    descriptors: int


def peaks(command: Sequence[str]) -> Peaks:
    """Run a command to its end and return its peaks.

    VmHWM starts anew at every exec, unlike the ru_maxrss of wait4(2), which counts the parent's
    memory at the fork as well.
    """
    own = child = descriptors = 0
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            own = max(own, _peak(process.pid))
            descriptors = max(descriptors, _descriptors(process.pid))
            for each in _children(process.pid):
                child = max(child, _peak(each))
            time.sleep(_PAUSE)
    return Peaks(own, child, descriptors)


def _descriptors(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        return sum(1 for _each in Path(f"/proc/{pid}/fd").iterdir())
    return 0


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
    return int(line.split()[1]) if line else 0


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(each) for each in text.split()]

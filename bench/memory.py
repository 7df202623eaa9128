"""Peak memory of a command and of the processes that it starts, read from /proc."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_PAUSE = 0.004


def peaks(command: Sequence[str]) -> tuple[int, int]:
    """Run a command and return (its own peak, its largest child's peak) in KiB of resident memory.

    VmHWM starts anew at every exec, unlike the ru_maxrss of wait4(2), which counts the parent's
    memory at the fork as well.
    """
    own = child = 0
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            own = max(own, _peak(process.pid))
            for each in _children(process.pid):
                child = max(child, _peak(each))
            time.sleep(_PAUSE)
    return own, child


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

"""Ends what a play started on this machine: also as a program, when the controller was killed.

Ansible's workers are sessions of their own: neither the end of its process group nor that of the
controller reaches them. As a program it waits until its stdin ends, which happens however the
controller ends, and removes the play's directory as well: passwords for sudo may lie in it. It has
the standard library only, so that it starts with ``-I -S``.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# How long processes that are being ended are waited for (seconds).
ENDING_SECONDS = 10.0
ENDING_PAUSE = 0.02


def end_processes(directory: Path) -> None:
    """End every process of ours that names a play's directory on its command line, but this one.

    Control masters are among them and, after a cancel, Ansible's workers: they would go on, and
    connect anew.
    """
    deadline = time.monotonic() + ENDING_SECONDS
    while (left := list(processes(directory))) and time.monotonic() < deadline:
        for process in left:
            with suppress(ProcessLookupError, PermissionError):  # it ended, or became another's
                os.kill(process, signal.SIGKILL)
        time.sleep(ENDING_PAUSE)


def processes(directory: Path, program: str = "") -> Iterator[int]:
    """Yield the processes of ours whose command line names a play's directory, and a program."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with suppress(OSError):
                ours = process.stat().st_uid == os.geteuid()
                told = (process / "cmdline").read_bytes()
                if ours and str(directory).encode() in told and program.encode() in told:
                    yield int(process.name)


def main() -> None:
    """Wait for the end of stdin, then end the play in the directory that is named."""
    directory = Path(sys.argv[1])
    while os.read(0, 4096):
        pass
    try:
        end_processes(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Our terminal lent to a virtual machine: a command of root's at its second console."""

import os
import select
import shutil
import socket
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab import guest

SOCKET = "shell"
"""The name of the console's socket in a host's directory."""
_DEVICE = "/dev/hvc0"
_SECONDS = 86400.0
_BLOCK = 65536


def run(directory: Path, argv: Sequence[str]) -> int:
    """Run ``argv`` in the machine of ``directory`` with our terminal; return its exit code."""
    size = shutil.get_terminal_size()
    command = [
        *("systemd-run", "--quiet", "--wait", "--collect", "--service-type=exec"),
        *(f"--property=TTYPath={_DEVICE}", "--property=StandardInput=tty-force"),
        *("--property=StandardOutput=tty", "--property=StandardError=tty"),
        *("--property=TTYReset=yes", "--property=WorkingDirectory=/root"),
        *(f"--setenv=TERM={os.environ.get('TERM', 'dumb')}", "--setenv=HOME=/root", "--"),
        *("sh", "-c", 'stty rows "$1" cols "$2" && shift 2 && exec "$@"', "sh"),
        *(str(size.lines), str(size.columns), *argv),
    ]
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as line, _raw():
        line.connect(f"/proc/self/fd/{handle}/{SOCKET}")
        os.close(handle)
        threading.Thread(target=_carry, args=(line,), daemon=True).start()
        return guest.execute(directory, command, None, _SECONDS).returncode


def _carry(line: socket.socket) -> None:
    """Carry bytes between terminal and console until the console ends, or the terminal is gone."""
    typed, shown = sys.stdin.fileno(), sys.stdout.fileno()
    while True:
        ready, _write, _error = select.select([typed, line], [], [])
        if line in ready:
            part = line.recv(_BLOCK)
            if not part:
                return
            os.write(shown, part)
        if typed in ready:
            part = os.read(typed, _BLOCK)
            if not part:
                return
            line.sendall(part)


@contextmanager
def _raw() -> Iterator[None]:
    """Pass every key on as it is; the terminal is afterwards as it was."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

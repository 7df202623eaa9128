"""Talk to a virtual machine without its network: QEMU's guest agent behind a socket.

Tests break sshd and firewalls; this way in depends on neither. The protocol is that of Debian's
qemu-guest-agent: a line of JSON each way, one talk at a time.
"""

import base64
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.lab.commands import ENVIRONMENT
from orchestrator.lab.errors import LabError
from orchestrator.lab.machine import Completed
from orchestrator.model.i18n import _

AGENT = "agent"
"""The name of the agent's socket in a host's directory."""
_LOCK = "agent.lock"
_ANSWER_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_TIMED_OUT = 124
_BLOCK = 65536


class SilentError(LabError):
    """Nobody answers: the machine is down, or its agent does not run yet or any more."""


def execute(directory: Path, argv: Sequence[str], stdin: bytes | None, timeout: float) -> Completed:
    """Run ``argv`` as root in the machine of ``directory`` and return how it ended.

    Raises LabError after ``timeout`` seconds, SilentError when nobody answers.
    """
    limited = ["--kill-after=5", str(timeout), *argv]
    began = time.monotonic()
    started = ask(
        directory,
        "guest-exec",
        {
            "path": "timeout",
            "arg": limited,
            "env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "input-data": base64.b64encode(stdin or b"").decode(),
            "capture-output": True,
        },
    )
    done: dict[str, Any] = {"exited": False}
    pause = _FIRST_PAUSE
    while not done["exited"]:
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        done = ask(directory, "guest-exec-status", {"pid": started["pid"]})
    code = done["exitcode"] if "exitcode" in done else -done["signal"]
    if code == _TIMED_OUT and time.monotonic() - began >= timeout:
        raise LabError(
            _("no end after {seconds} s: {command}").format(seconds=timeout, command=" ".join(argv))
        )
    if done.get("out-truncated") or done.get("err-truncated"):
        raise LabError(_("too much output: {command}").format(command=" ".join(argv)))
    out, err = (base64.b64decode(done.get(part, "")) for part in ("out-data", "err-data"))
    return Completed(list(argv), code, out, err)


def ask(
    directory: Path, command: str, arguments: dict[str, Any], patience: float = _ANSWER_SECONDS
) -> Any:
    """Send one command to the agent and return what it answers within ``patience`` seconds.

    Raises SilentError without an answer, LabError when the agent refuses.
    """
    with _connected(directory, patience) as line:
        answer = _exchange(line, {"execute": command, "arguments": arguments})
    if "error" in answer:
        raise LabError(str(answer["error"].get("desc")))
    return answer["return"]


@contextmanager
def _connected(directory: Path, patience: float) -> Iterator[socket.socket]:
    """Hold the talk to the agent, in step with it: what others left unread is passed over."""
    # a socket's path may have 107 bytes; a test's directory has more
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with (directory / _LOCK).open("w") as lock, socket.socket(socket.AF_UNIX) as line:
            fcntl.flock(lock, fcntl.LOCK_EX)
            line.settimeout(patience)
            line.connect(f"/proc/self/fd/{handle}/{AGENT}")
            _synchronise(line)
            yield line
    except OSError as error:
        raise SilentError(
            _("the agent of {host} does not answer").format(host=directory.name)
        ) from error
    finally:
        os.close(handle)


def _synchronise(line: socket.socket) -> None:
    number = secrets.randbelow(1 << 31)
    request = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
    answer: dict[str, Any] = {}
    # 0xff ends whatever half a request the agent holds, and stands before its answer
    line.sendall(b"\xff" + json.dumps(request).encode() + b"\n")
    while answer.get("return") != number:
        answer = json.loads(_line(line).rpartition(b"\xff")[2] or b"{}")


def _exchange(line: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    line.sendall(json.dumps(request).encode() + b"\n")
    return dict(json.loads(_line(line)))


def _line(line: socket.socket) -> bytes:
    """Return the next line; raises OSError when none comes."""
    found = b""
    while not found.endswith(b"\n"):
        part = line.recv(_BLOCK)
        if not part:
            raise ConnectionResetError
        found += part
    return found

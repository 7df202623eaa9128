"""Run the machine's own tools; what fails becomes a LabError that quotes them."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from orchestrator.lab.errors import LabError
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

TOOLS = (
    "systemd-nspawn",
    "mmdebstrap",
    "nft",
    "ip",
    "unshare",
    "nsenter",
    "setsid",
    "ssh-keygen",
    "openssl",
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"}


def missing_tools(also: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the tools that the lab, and what ``also`` is used, need and this machine lacks."""
    return tuple(tool for tool in (*TOOLS, *also) if shutil.which(tool, path=PATH) is None)


def require_machine(also: tuple[str, ...] = ()) -> None:
    """Raise ConfigurationError unless we are root on a machine that has the lab's tools.

    ``also`` names tools beyond those that every lab needs.
    """
    if os.geteuid() != 0:
        raise ConfigurationError(
            _("the lab needs root: it mounts file systems and makes network interfaces"),
            hint=_("run the same command with sudo"),
        )
    missing = missing_tools(also)
    if missing:
        raise ConfigurationError(
            _("the lab needs tools that are not installed: {tools}").format(
                tools=", ".join(missing)
            ),
            hint="script/setup",
        )


def run(argv: Sequence[str], *, stdin: str | None = None, cwd: Path | None = None) -> str:
    """Run a tool to its end in a clean environment and return its standard output.

    Raises LabError with the tool's last words when it does not exit with 0.
    """
    done = subprocess.run(
        list(argv),
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        errors="replace",
        env=ENVIRONMENT,
        cwd=cwd,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(
            _("{tool} failed ({code}): {words}").format(
                tool=argv[0], code=done.returncode, words=done.stderr.strip()[-2000:]
            )
        )
    return done.stdout


def enter(
    leader: int, argv: Sequence[str], *, stdin: bytes | None, timeout: float
) -> "subprocess.CompletedProcess[bytes]":
    """Run ``argv`` as root inside the host whose init is ``leader`` and return how it ended.

    Standard input is empty unless given. Raises LabError after ``timeout`` seconds; then
    everything that was started has been killed.
    """
    command = [*entrance(leader), *argv]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(stdin or b"", timeout=timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise LabError(
                    _("no end after {seconds} s: {command}").format(
                        seconds=timeout, command=" ".join(argv)
                    )
                ) from error
            raise
    return subprocess.CompletedProcess(list(argv), process.returncode, out, err)


def become(leader: int, argv: Sequence[str]) -> NoReturn:
    """Replace this process by ``argv``, run as root inside the host whose init is ``leader``."""
    command = [*entrance(leader), *argv]
    terminal = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
    os.execvpe(command[0], command, environment(terminal))  # noqa: S606 - no shell is wanted


def entrance(leader: int) -> list[str]:
    """Return the beginning of a command line that runs something inside a host."""
    return ["nsenter", f"--target={leader}", "--all", "--"]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the clean environment plus ``extra``."""
    return {**ENVIRONMENT, **extra}

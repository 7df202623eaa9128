"""What all of the vault's own care shares: where it remembers things, and root's own restic."""

import os
import signal
import subprocess

from . import places, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pwd
    from typing import Any, Tuple

STATE = "/var/lib/luytre-vault"
_ENDING_SECONDS = 60
_KEPT_CHARACTERS = 500


class UpkeepError(Exception):
    """A repository could not be cared for; the text says why."""


class Postponed(Exception):
    """Not now: a backup goes on, or may; the text says what is in the way."""


def place(kind: str, client: str) -> str:
    """Return the file of one kind of what is remembered of a client."""
    return os.path.join(places.directory(os.path.join(STATE, kind)), client + ".json")


def remembered(path: str, otherwise: "Any") -> "Any":
    """Return what a file holds, or something else where there is none yet."""
    try:
        return places.load(path)
    except FileNotFoundError:
        return otherwise


def owner(client: str) -> "pwd.struct_passwd":
    """Return the account of a client; raises UpkeepError where it has none."""
    known = vault.accounts()
    if client not in known:
        raise UpkeepError("there is no account of {}".format(client))
    return known[client]


def shown(text: str) -> str:
    """Return a client's text so that it can be written anywhere: of bounded length, no surrogates.

    Names of files are bytes, and the client chooses them.
    """
    return text[:_KEPT_CHARACTERS].encode("utf-8", "backslashreplace").decode()


def ask(client: str, *arguments: str, seconds: int) -> str:
    """Run root's restic on a repository and return what it said; raises UpkeepError."""
    status, said, complaints = run(client, *arguments, seconds=seconds)
    if status != 0:
        raise UpkeepError("restic {}: {}".format(arguments[0], complaints))
    return said


def run(client: str, *arguments: str, seconds: int) -> "Tuple[int, str, str]":
    """Run root's restic; return its status, what it said, and its first complaints on one line.

    Raises UpkeepError where it took longer than so many seconds. Without a cache: that would be
    one more copy of every client's index, and readable without its password.
    """
    process = subprocess.Popen(
        vault.restic(client, "--no-cache", *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=dict(os.environ, LC_ALL="C.UTF-8"),
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        words = "restic {}: no end after {} s".format(arguments[0], seconds)
        raise UpkeepError(words) from None
    finally:
        _end(process)
    # Not the end: there it may show a trace of its own calls.
    complaints = " ".join(err.decode("utf-8", "replace").split())[:_KEPT_CHARACTERS]
    return process.returncode, out.decode("utf-8", "replace"), complaints


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End restic, if it has not; interrupted, it takes its lock away first."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()

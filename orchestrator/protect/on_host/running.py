"""Run a program to its end, and know why it failed."""

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

_SECONDS = 300
_KEPT = 500


class ProgramError(Exception):
    """A program failed; the text is its name and what it complained of."""


class NotHere(Exception):
    """This host lacks what is needed; that says nothing of anybody's backup."""


def output(argv: "List[str]", *, stdin: bytes = b"", seconds: float = _SECONDS) -> str:
    """Return what a program says; raises ProgramError where it fails, is not there or too slow."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=seconds,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ProgramError("{}: {}".format(argv[0], problem)) from problem
    if done.returncode != 0:
        raise ProgramError("{}: {}".format(argv[0], one_line(done.stderr or done.stdout)))
    return done.stdout.decode("utf-8", "replace").strip()


def one_line(said: bytes) -> str:
    """Return the end of what a program complained of, on one line."""
    return " ".join(said[-_KEPT:].decode("utf-8", "replace").split()) or "it said nothing"

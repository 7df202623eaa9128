"""What the script in ``on_host`` is sent, and what it is asked later. Pure."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PARTS = ("ground", "way_back", "packages", "key", "account", "work")
# A script that arrived in part is never run.
_LOADER = (
    'd=$(mktemp -d /run/luytre-XXXXXX) && head -c "$1" >"$d/script" &&'
    ' [ "$(wc -c <"$d/script")" -eq "$1" ] || { rm -rf "$d"; exit 70; };'
    ' shift; exec sh "$d/script" begin "$d" "$@"'
)
_NAME = "luytre-bootstrap"


class Message(NamedTuple):
    """A command for root, and its standard input."""

    argv: tuple[str, ...]
    stdin: bytes = b""


@cache
def _part(name: str) -> bytes:
    return (Path(__file__).with_name("on_host") / f"{name}.sh").read_bytes()


def begin(words: Sequence[str]) -> Message:
    """Return what starts the work; ``words`` are the arguments of the script's ``begin``."""
    script = b"\n".join(map(_part, _PARTS))
    argv = ("sh", "-c", _LOADER, _NAME, str(len(script)), *words)
    return Message(argv, script)


class Run(NamedTuple):
    """One bootstrap of one host: its own name, so that nobody decides of another one.

    ``user`` is the account, ``line`` the public key that it is about.
    """

    name: str
    user: str
    line: str

    def confirm(self, made: Sequence[str]) -> Message:
        """Return the confirmation of what was ``made``."""
        return self._ask("confirm", made)

    def expire(self, made: Sequence[str]) -> Message:
        """Return the order to take all of it back."""
        return self._ask("expire", made)

    def _ask(self, verb: str, made: Sequence[str]) -> Message:
        packages = [one.removeprefix("package ") for one in made if one.startswith("package ")]
        text = _part("ask").decode()
        return Message(("sh", "-c", text, _NAME, verb, *self[:3], *packages))

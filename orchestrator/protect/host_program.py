"""Call the program that a host has of ours, as root over one login."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.fleet.connection import Login
from orchestrator.fleet.ssh import exchange, sudo_command
from orchestrator.model.errors import AgentError
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted
from orchestrator.protect import told
from orchestrator.protect.on_host.places import NOT_SET_UP
from orchestrator.protect.program import PLACE

# A first backup of a large server over a slow line (seconds).
LONGEST = 24 * 3600.0
# What Python says of a program that is not there.
MISSING = "can't open file"
_OF_CLIENTS = frozenset({"follow", "status", "restore", "verify", "drilled"})
MOST_OUTPUT = 16 * 1024 * 1024
_MEBIBYTE = 1024 * 1024


def call(
    login: Login,
    *words: str,
    stdin: Any = b"",
    seconds: float,
    heard: Callable[[Mapping[str, Any]], None] | None = None,
    place: str = PLACE,
    most: int = MOST_OUTPUT,
) -> list[Mapping[str, Any]]:
    """Run the program and return the documents that it said; raises AgentError, UnreachableError.

    ``stdin`` is plain data that it reads as JSON (passwords go this way alone), or bytes that it
    reads as they are. ``heard`` is told each document as it comes. ``seconds`` bounds the whole.
    ``place`` is where the program lies, ``most`` how many bytes it may say.
    """
    endpoint = login.endpoint
    command = sudo_command(endpoint, [endpoint.python, "-I", place, *words], seconds)
    if heard is not None:
        command = command._replace(heard=_by_line(endpoint.name, heard))
    message = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    said = exchange(
        login,
        command,
        message,
        timeout=seconds + 10,
        max_output=most,
        hold_stdin=False,
    )
    lost = MISSING.encode() in said.stderr and PLACE.encode() in said.stderr
    if said.status == NOT_SET_UP or lost:
        not_set_up = _("not set up for backups: luytre backup setup")
        # What serves clients is set up with them.
        if words[0] in _OF_CLIENTS:
            not_set_up += f" --limit {endpoint.name}"
        raise AgentError(endpoint.name, not_set_up)
    if said.truncated:
        much = _("{program} says more than {n} MiB").format(program=place, n=most // _MEBIBYTE)
        raise AgentError(endpoint.name, much)
    if said.status != 0:
        words_ = quoted(said.stderr[-300:]) or _("it said nothing")
        raise AgentError(
            endpoint.name, _("{program} failed: {why}").format(program=place, why=words_)
        )
    return told.lines(endpoint.name, said.stdout)


def _by_line(host: str, heard: Callable[[Mapping[str, Any]], None]) -> Callable[[bytes], None]:
    waiting = bytearray()

    def take(chunk: bytes) -> None:
        waiting.extend(chunk)
        whole, newline, _rest = bytes(waiting).rpartition(b"\n")
        if newline:
            del waiting[: len(whole) + 1]
            for document in told.lines(host, whole):
                heard(document)

    return take

"""A host's words without the passwords that it was given: it may repeat them, and we show words.

A password of fewer than eight bytes is left alone: it could stand there by chance, and what
is taken out of an honest answer breaks it.
"""

from collections.abc import Sequence

from orchestrator.model.host import Endpoint
from orchestrator.model.text import quoted

_SHORTEST = 8


def unspoken(
    endpoint: Endpoint, said: bytes, *, begins_cut: bool = False, ends_cut: bool = False
) -> bytes:
    """Return what ``endpoint`` said with ``***`` for each of its passwords.

    Where the stream was cut, what the cut left of a password goes too.
    """
    for secret in _passwords(endpoint):
        said = said.replace(secret, b"***")
        pieces = range(len(secret) - 1, 0, -1)
        if begins_cut:
            said = said[next((n for n in pieces if said.startswith(secret[-n:])), 0) :]
        if ends_cut:
            left = next((n for n in pieces if said.endswith(secret[:n])), 0)
            said = said[: len(said) - left]
    return said


def told_by(endpoint: Endpoint, words: str) -> str:
    """Return the host's words for one of our own sentences: quoted, and without its passwords."""
    return quoted(unspoken(endpoint, words.encode("utf-8", "surrogatepass")))


def reason_without(endpoint: Endpoint, reason: str) -> str:
    """Return a reason that may hold a host's words, without the passwords of another login to it.

    A login with the key knows nothing of the password that the host was given before.
    """
    return unspoken(endpoint, reason.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def methods_of(endpoint: Endpoint, methods: Sequence[str]) -> str:
    """Return the ways to log in that a host names: its own words, cut by paramiko at the commas."""
    return told_by(endpoint, ",".join(methods)).replace(",", ", ")


def _passwords(endpoint: Endpoint) -> list[bytes]:
    """Return the longer one first: it may hold the other."""
    words = {endpoint.login_password or "", endpoint.sudo_password or ""}
    given = (word.encode("utf-8", "surrogatepass") for word in words)
    return sorted((word for word in given if len(word) >= _SHORTEST), key=len, reverse=True)

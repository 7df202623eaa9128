"""One account's lines in passwd and shadow, apart from everybody else's.

Journaled alone, so that a rollback takes back no other account's new password.
"""

import errno
import os

from .. import accounts
from ..host import Host, Unreadable
from . import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

# lckpwdf(3): who changes passwd or shadow holds this lock; it is waited for 15 seconds.
_LOCK, _LOCK_SECONDS = "/etc/.pwd.lock", 15.0
_PLACES = (accounts.PASSWD, accounts.SHADOW)
_PAUSE = 0.1


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the account's two lines, None where there is none."""
    return {place: _line(host, place, key) for place in _PLACES}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Put the two lines back; raises Unreadable where the account is gone, or new, since."""
    with _Locked(host):
        for place in _PLACES:
            present = _line(host, place, key)
            if (present is None) != (state[place] is None):
                raise Unreadable("{}: {} came or went since: not touched".format(place, key))
            if present != state[place]:
                _replace(host, place, key, state[place])


def change(key: str, fields: "Dict[Tuple[str, int], str]", host: Host) -> None:
    """Set fields of an account: (file, number of the field) → value."""
    with _Locked(host):
        for place in _PLACES:
            line = _line(host, place, key)
            if line is None:
                continue
            parts = line.split(":")
            for (where, number), value in fields.items():
                if where == place:
                    parts[number] = value
            if parts != line.split(":"):
                _replace(host, place, key, ":".join(parts))


class _Locked:
    """The lock that useradd, passwd and their kin take."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._descriptor = -1

    def __enter__(self) -> "_Locked":
        import fcntl
        import time

        self._descriptor = os.open(_LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except OSError as problem:
                held = problem.errno in (errno.EACCES, errno.EAGAIN)
                if not held or time.monotonic() > deadline:
                    os.close(self._descriptor)
                    raise
            self._host.pause(_PAUSE)

    def __exit__(self, *ended: object) -> None:
        os.close(self._descriptor)


def _line(host: Host, place: str, key: str) -> "Optional[str]":
    found = accounts.split_line(host.read(place) or b"", key)
    return None if found is None else found[1].decode("utf-8", "surrogateescape")


def _replace(host: Host, place: str, key: str, line: str) -> None:
    data = host.read(place) or b""
    found = accounts.split_line(data, key)
    if found is None:
        raise Unreadable("{}: {} is gone".format(place, key))
    lines = data.split(b"\n")
    lines[found[0]] = line.encode("utf-8", "surrogateescape")
    path.rewrite(place, b"\n".join(lines))

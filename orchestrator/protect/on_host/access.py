"""A client is kept out while root deletes in its repository, whatever ends us in between.

restic before 0.15 writes a snapshot whose data were pruned while it was suspended. Locks do not
tell: a suspended backup renews none, and looks like one that was killed. A process of the client's
account does: without one, nothing can be written.
"""

import os
import time
from contextlib import contextmanager

from . import places, upkeep, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pwd
    from typing import Iterator, List

_PAUSE = 0.5
# A login that was let in before the key was taken away becomes a process within this time.
_QUIET_SECONDS = 3.0


@contextmanager
def withdrawn(client: str, seconds: float) -> "Iterator[None]":
    """Keep a client out, once nobody of it is in; raises Postponed where somebody stays.

    ``seconds`` is how long to wait for the end of what goes on.
    """
    entry = upkeep.owner(client)
    places.directory(vault.CLOSED)
    try:
        with places.locked(vault.KEYS_LOCK, wait=True):
            os.rename(_key(entry), _aside(entry))
    except FileNotFoundError:
        # Nobody may log in with a key that is not there.
        pass
    try:
        _wait(entry, seconds)
        yield
    finally:
        give_back(client)


def give_back(client: str) -> None:
    """Make the repository the client's again as far as it was, and let it in; done again, the same.

    What root's restic wrote is root's, and a client that cannot read an index cannot back up.
    """
    entry = upkeep.owner(client)
    if os.path.exists(_aside(entry)):
        vault.give(client, entry.pw_name)
        os.rename(_aside(entry), _key(entry))


def is_withdrawn(client: str) -> bool:
    """Return whether a client is kept out; after a program that was killed, it still is."""
    return os.path.exists(_aside(upkeep.owner(client)))


def _key(entry: "pwd.struct_passwd") -> str:
    return os.path.join(vault.KEYS, entry.pw_name)


def _aside(entry: "pwd.struct_passwd") -> str:
    return os.path.join(vault.CLOSED, entry.pw_name)


def _wait(entry: "pwd.struct_passwd", seconds: float) -> None:
    """Return when nobody of an account has been there for a while."""
    ends = time.monotonic() + seconds
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        busy = _processes(entry)
        if busy:
            quiet_since = time.monotonic()
            if quiet_since > ends:
                words = "a backup goes on, or was suspended: process {}"
                raise upkeep.Postponed(words.format(busy[0]))
        time.sleep(_PAUSE)


def _processes(entry: "pwd.struct_passwd") -> "List[str]":
    """Return the processes of an account, and those of sshd that let it in just now."""
    return [number for number in os.listdir("/proc") if number.isdigit() and _is(number, entry)]


def _is(number: str, entry: "pwd.struct_passwd") -> bool:
    try:
        with open("/proc/{}/status".format(number), encoding="utf-8", errors="replace") as file:
            told = dict(line.partition(":")[::2] for line in file)
        with open("/proc/{}/cmdline".format(number), encoding="utf-8", errors="replace") as file:
            words = file.read().replace("\0", " ").replace("@", " ").split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    if "Z" in told["State"].split():
        return False
    logging_in = bool(words) and words[0].startswith("sshd") and entry.pw_name in words
    return str(entry.pw_uid) in told["Uid"].split() or logging_in

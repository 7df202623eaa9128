"""Where everything lies on a client, and the one way in which it is written."""

import contextlib
import fcntl
import hashlib
import json
import os

from . import running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, Set, Tuple

# All of root's alone: passwords, keys, what is backed up.
CONFIGURED = "/etc/luytre-backup"
CLIENT = CONFIGURED + "/client.json"
# What came of the runs, and what a database is copied to before it is streamed.
STATE = "/var/lib/luytre-backup"
RESULTS = STATE + "/results"
# How its newest drill ended, as the controller says: the baseline's controls look for it here.
DRILL = STATE + "/drill.json"
# Without it, restic asks the vault for every directory of the last backup.
CACHE = "/var/cache/luytre-backup"
# The run that goes on, if one does; gone after a reboot.
RUNNING = "/run/luytre-backup"
LOCK = RUNNING + "/lock"
PROGRESS = RUNNING + "/progress.json"

# sysexits.h: how the program ends where what a client needs was never configured.
NOT_SET_UP = 78
_ROOT_ALONE = 0o700
# What this program wrote since it last said so, for whoever watches the files of this host: of each
# path what is known of how it stands now; and the units that it lets start with the host.
wrote: "Dict[str, Dict[str, str]]" = {}
_started: "Set[str]" = set()


def credentials(directory: str) -> "Tuple[str, str, str]":
    """Return where the key, the password and the vault's host key lie, in such a directory."""
    key, password, known_hosts = (
        os.path.join(directory, name) for name in ("id_ed25519", "password", "known_hosts")
    )
    return key, password, known_hosts


KEY, PASSWORD, KNOWN_HOSTS = credentials(CONFIGURED)


def directory(path: str) -> str:
    """Make a directory that only root can enter, with those above it; return its path."""
    if not os.path.isdir(path):
        os.makedirs(path, mode=_ROOT_ALONE, exist_ok=True)
        wrote[path] = {"sort": "directory", "mode": _octal(_ROOT_ALONE)}
    return path


def save(path: str, told: "Any") -> None:
    """Write a JSON file as :func:`write` does."""
    write(path, json.dumps(told, sort_keys=True))


def write(path: str, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all, on disk when it returns; others read what ``mode`` says."""
    new = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    # SHA-1, as Ansible tells the contents that it writes.
    content = hashlib.sha1(text.encode()).hexdigest()
    wrote[path] = {"sort": "file", "mode": _octal(mode), "sha1": content}


def starts(unit: str) -> None:
    """Let a timer start now, and with the host; raises ProgramError."""
    running.output(["systemctl", "enable", "--quiet", "--now", unit])
    _started.add(unit)


def ended(last: "Callable[[], None]") -> "Dict[str, Any]":
    """Do what a set-up does last; return what is told of it: it is ready, or has failed."""
    try:
        last()
    except running.ProgramError as problem:
        return set_up(state="failed", why=str(problem))
    return set_up(state="ready")


def set_up(**told: "Any") -> "Dict[str, Any]":
    """Return what is told of a set-up, with what it wrote since this was last said."""
    said = dict(told, wrote=dict(wrote), units=sorted(_started))
    wrote.clear()
    _started.clear()
    return said


def _octal(mode: int) -> str:
    return "{:04o}".format(mode)


def sync(path: str) -> None:
    """Have the names in a directory on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: str) -> "Any":
    """Return what a JSON file holds; raises OSError, ValueError."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@contextlib.contextmanager
def locked(path: str, *, wait: bool) -> "Iterator[None]":
    """Hold a lock, which is a file; without waiting, raise BlockingIOError where it is held."""
    directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)

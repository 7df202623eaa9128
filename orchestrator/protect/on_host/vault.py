"""The vault's own side: one repository, key and account per client; root alone can delete.

A client comes in over the vault's own sshd with a forced command that can read and add, never
overwrite or delete. ``keys/`` and ``config`` of its repository belong to root: what somebody
uploads there could keep every restore from opening it.
"""

import os
import pwd
import re
import shutil

from . import places, running
from .restic import ROOM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

ROOT = "/srv/luytre-vault"
CONFIGURED = "/etc/luytre-vault"
# One file of authorized keys per account, read by the vault's own sshd; root's.
KEYS = CONFIGURED + "/keys"
# Held by whoever changes one of them.
KEYS_LOCK = "/run/luytre-vault/keys"
# The maintenance password of each repository: made here, never leaves.
MAINTENANCE = CONFIGURED + "/maintenance"
# Where the key of a client lies while root deletes in its repository (access.py).
CLOSED = CONFIGURED + "/closed"
GROUP = "luytre-backup"
# What useradd(8) writes, with the copies that it keeps of before.
_OF_ACCOUNTS = (
    "/etc/.pwd.lock",
    *(
        "/etc/{}{}".format(name, end)
        for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
        for end in ("", "-")
    ),
)
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_PUBLIC_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/=]+")
# Where a client may write: everything else of its repository is root's.
WRITABLE = ("data", "index", "snapshots", "locks")
_PREFIX = "luytre-bk-"
# With -vv every request is logged: rclone says of a refused deletion nothing but its request.
# What is said before syslog is opened would reach the client, hence the empty configuration.
# rclone answers "500" whatever the cause is: a client is told first how much room there is.
_FORCED = (
    "stat --file-system --format='{room} %a %S' {place}/data >&2;"
    " exec rclone serve restic --stdio --append-only --config /dev/null -vv --syslog {place}"
)


class VaultError(Exception):
    """A client could not be let in; the text says why."""


def account(number: int) -> str:
    """Return the account of a client: names of hosts do not fit into those of accounts."""
    return _PREFIX + str(number)


def repository(client: str) -> str:
    """Return where a client's repository lies."""
    return "{}/{}/repository".format(ROOT, client)


def enroll(client: str, public_key: str, password: str) -> "Dict[str, Any]":
    """Let a client in: account, repository, both keys, forced command; done again, the same.

    Returns its account. Raises VaultError, OSError.
    """
    line = key_line(client, public_key)
    user = _account_of(client)
    if os.path.exists(os.path.join(CLOSED, user)):
        raise VaultError("the vault prunes the repository of {}: later".format(client))
    place = repository(client)
    made = not os.path.exists(place + "/config")
    if made:
        _make(client, place, password)
    give(client, user)
    os.makedirs(KEYS, mode=0o755, exist_ok=True)
    places.write(os.path.join(KEYS, user), line + "\n", 0o644)
    return {"client": client, "account": user, "made": made}


def key_line(client: str, public_key: str, *options: str) -> str:
    """Return the line of authorized keys that lets a key in as a client; raises VaultError."""
    if not _CLIENT.fullmatch(client) or not _PUBLIC_KEY.fullmatch(public_key):
        raise VaultError("not a client: {!r}".format(client))
    forced = _FORCED.format(room=ROOM, place=repository(client))
    return " ".join([",".join(["restrict", *options, 'command="{}"'.format(forced)]), public_key])


def prove(client: str, password: str) -> str:
    """Open a client's repository with a password; return why that cannot be done, if it cannot."""
    if client not in clients():
        return "the vault has no repository of it"
    try:
        # Its stdin is a pipe, no file: what is proved lies nowhere.
        words = ["restic", "--no-lock", "--no-cache", "-r", repository(client)]
        _do([*words, "--password-file", "/proc/self/fd/0", "cat", "config"], password.encode())
    except VaultError as problem:
        return str(problem)
    return ""


def restic(client: str, *arguments: str) -> "List[str]":
    """Return the command line of root's own restic on a client's repository."""
    word = os.path.join(MAINTENANCE, client)
    return ["restic", "-r", repository(client), "--password-file", word, *arguments]


def clients() -> "List[str]":
    """Return the clients that have a repository."""
    found = os.listdir(ROOT) if os.path.isdir(ROOT) else []
    return sorted(name for name in found if os.path.exists(repository(name) + "/config"))


def accounts() -> "Dict[str, pwd.struct_passwd]":
    """Return the account of each client: its comment names the client."""
    ours = [entry for entry in pwd.getpwall() if entry.pw_name.startswith(_PREFIX)]
    return {entry.pw_gecos: entry for entry in ours}


def _account_of(client: str) -> str:
    """Return the account of a client, made where there is none."""
    known = accounts()
    if client in known:
        return known[client].pw_name
    numbers = [int(entry.pw_name[len(_PREFIX) :]) for entry in known.values()]
    user = account(max([0, *numbers]) + 1)
    home = os.path.join(ROOT, client)
    words = ["useradd", "--system", "--gid", GROUP, "--home-dir", home, "--no-create-home"]
    # sshd lets an account in whose password is locked ("!") no more; "*" is no password either.
    words += ["--shell", "/bin/sh", "--comment", client, "--password", "*", user]
    _do(words)
    places.wrote.update({path: {"sort": "file"} for path in _OF_ACCOUNTS})
    return user


def _make(client: str, place: str, password: str) -> None:
    """Make a repository whose first key is the vault's own, the second the client's."""
    os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
    maintenance = os.path.join(places.directory(MAINTENANCE), client)
    if not os.path.exists(maintenance):
        places.write(maintenance, os.urandom(32).hex() + "\n", 0o400)
    half = place + ".new"
    shutil.rmtree(half, ignore_errors=True)
    theirs = os.path.join(places.directory(places.RUNNING), "enrolling")
    places.write(theirs, password + "\n", 0o400)
    try:
        common = ["restic", "--no-cache", "-r", half, "--password-file", maintenance]
        _do([*common, "init"])
        _do([*common, "key", "add", "--new-password-file", theirs])
    finally:
        os.unlink(theirs)
    os.rename(half, place)


def give(client: str, user: str) -> None:
    """Make the client's what it may add to, and root's what it may only read."""
    owner, place = pwd.getpwnam(user), repository(client)
    os.chmod(os.path.dirname(place), 0o755)
    for name in ("", "keys", "config"):
        _own(os.path.join(place, name), 0, owner.pw_gid, 0o640 if name == "config" else 0o750)
    for name in os.listdir(place + "/keys"):
        _own(os.path.join(place, "keys", name), 0, owner.pw_gid, 0o640)
    for top in WRITABLE:
        for directory, _directories, files in os.walk(os.path.join(place, top)):
            _own(directory, owner.pw_uid, owner.pw_gid, 0o700)
            for name in files:
                _own(os.path.join(directory, name), owner.pw_uid, owner.pw_gid, 0o600)


def _own(path: str, uid: int, gid: int, mode: int) -> None:
    # The client writes beside us: what it makes a link must not lead root anywhere.
    os.chown(path, uid, gid, follow_symlinks=False)
    if not os.path.islink(path):
        os.chmod(path, mode)


def _do(argv: "List[str]", stdin: bytes = b"") -> None:
    try:
        running.output(argv, stdin=stdin)
    except running.ProgramError as problem:
        raise VaultError(str(problem)) from problem

"""Accounts, groups, SSH keys and sudo rules: what is different from when the watch looked last."""

import errno
import glob
import hashlib
import os
import stat
import time

from . import keys
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Tuple

# Whoever is in one of these is root, or nearly so.
_MIGHTY = frozenset(("root", "sudo", "adm", "shadow", "disk", "docker", "lxd", "libvirt", "wheel"))
_NO_LOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/sync")
_SUDOERS = ("/etc/sudoers", "/etc/sudoers.d/*")
_MOST_BYTES = 1024 * 1024


def look(record: Record) -> None:
    """Tell a record what has changed; at first everything is as it should be.

    Raises OSError where something could not be read: of that the last look counts on.
    """
    before = record.memory("accounts", None)
    unread: "List[str]" = []
    now = _snapshot(before["keys"] if before is not None else {}, unread)
    if before is not None:
        for what, identity, details in differences(before, now):
            at = time.time()
            # The same may happen again: taken away, and back.
            record.add(what, at, "{}|{}".format(identity, at), **details)
    record.remember("accounts", now)
    if unread:
        raise OSError("; ".join(unread))


def differences(
    before: "Dict[str, Any]", now: "Dict[str, Any]"
) -> "Iterator[Tuple[str, str, Dict[str, Any]]]":
    """Yield what is different between two looks: what, of what, details. Pure."""
    yield from _of_accounts(before["accounts"], now["accounts"])
    yield from _of_groups(before["groups"], now["groups"], now["accounts"])
    for user, key in _added(before["keys"], now["keys"]):
        yield "key_new", user + key, dict(now["keys"][user][key], user=user)
    for user, key in _added(now["keys"], before["keys"]):
        yield "key_gone", user + key, dict(before["keys"][user][key], user=user)
    for path in sorted({*before["sudoers"], *now["sudoers"]}):
        was, is_ = before["sudoers"].get(path), now["sudoers"].get(path)
        if was != is_:
            what = "sudoers_gone" if is_ is None else "sudoers_new" if was is None else "sudoers"
            yield what, path, {"path": path}


def _of_accounts(
    before: "Dict[str, Any]", now: "Dict[str, Any]"
) -> "Iterator[Tuple[str, str, Dict[str, Any]]]":
    for user in sorted(set(now) - set(before)):
        one = now[user]
        what = "account_new" if one["shell"] not in _NO_LOGIN else "account_system"
        details = {"user": user, "uid": one["uid"], "shell": one["shell"]}
        yield "account_root" if one["uid"] == "0" else what, user, details
    for user in sorted(set(before) - set(now)):
        yield "account_gone", user, {"user": user, "uid": before[user]["uid"]}
    for user in sorted(set(before) & set(now)):
        was, is_ = before[user], now[user]
        if was["uid"] != is_["uid"] and is_["uid"] == "0":
            yield "account_root", user, {"user": user, "uid": "0", "shell": is_["shell"]}
        elif was["uid"] != is_["uid"] or was["shell"] != is_["shell"]:
            yield "account_changed", user, {"user": user, "uid": is_["uid"], "shell": is_["shell"]}
        if was["password"] != is_["password"]:
            yield "password", user, {"user": user}


def _of_groups(
    before: "Dict[str, List[str]]", now: "Dict[str, List[str]]", accounts: "Dict[str, Any]"
) -> "Iterator[Tuple[str, str, Dict[str, Any]]]":
    for group in sorted(now):
        # Most accounts bring a group of their own.
        if group not in before and group not in accounts:
            yield "group_new", group, {"group": group}
        for user in sorted(set(now[group]) - set(before.get(group, ())) - {group}):
            what = "group_mighty" if group in _MIGHTY else "group_joined"
            yield what, group + ":" + user, {"group": group, "user": user}


def _added(before: "Dict[str, Any]", now: "Dict[str, Any]") -> "List[Tuple[str, str]]":
    return [
        (user, key)
        for user in sorted(now)
        for key in sorted(now[user])
        if key not in before.get(user, ())
    ]


def _snapshot(known: "Dict[str, Any]", unread: "List[str]") -> "Dict[str, Any]":
    """Return how everything is; raises OSError.

    Of whose keys cannot be read (his home is elsewhere) those that are ``known`` count on, and why
    is appended to ``unread``.
    """
    passwords = {fields[0]: fields[1] for fields in _lines("/etc/shadow", 2)}
    patterns = keys.patterns(_content)
    accounts = {}
    found = {}
    primary: "Dict[str, List[str]]" = {}
    for fields in _lines("/etc/passwd", 7):
        user = fields[0]
        hashed = passwords.get(user, fields[1])
        digest = hashlib.sha256(hashed.encode("utf-8", "surrogateescape")).hexdigest()
        accounts[user] = {"uid": fields[2], "shell": fields[6], "password": digest}
        primary.setdefault(fields[3], []).append(user)
        try:
            found[user] = keys.of(keys.Owner(user, fields[2], fields[5]), patterns, _content)
        except OSError as problem:
            unread.append("keys of {}: {}".format(user, problem))
            found[user] = known.get(user, {})
    return {
        "accounts": accounts,
        "groups": groups(_lines("/etc/group", 4), primary),
        "keys": {user: his for user, his in found.items() if his},
        "sudoers": _digests(_SUDOERS),
    }


def groups(lines: "Iterable[List[str]]", primary: "Dict[str, List[str]]") -> "Dict[str, List[str]]":
    """Return who is in which group, those as well who have it as their first. Pure."""
    return {
        fields[0]: sorted({*fields[3].split(","), *primary.get(fields[2], ())} - {""})
        for fields in lines
    }


def _digests(patterns: "Iterable[str]") -> "Dict[str, str]":
    paths = sorted(path for pattern in patterns for path in glob.glob(pattern))
    return {path: hashlib.sha256(_content(path)).hexdigest() for path in paths}


def _lines(path: str, least: int) -> "Iterator[List[str]]":
    for line in _content(path).decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(":")
        if len(fields) >= least:
            yield fields


def _content(path: str) -> bytes:
    """Return what a file holds; of what is none or no file nothing: homes are not ours.

    Raises OSError, also for one that is larger than what can be watched.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as problem:
        # open(2): a socket, or a device that nobody serves.
        if problem.errno == errno.ENXIO:
            return b""
        raise
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode):
            return b""
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return content

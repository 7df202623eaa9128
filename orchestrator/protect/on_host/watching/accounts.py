"""Accounts, groups, SSH keys and sudo rules: what is different from when the watch looked last."""

import base64
import binascii
import glob
import hashlib
import os
import stat
import time

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

# Whoever is in one of these is root, or nearly so.
_MIGHTY = frozenset(("root", "sudo", "adm", "shadow", "disk", "docker", "lxd", "libvirt", "wheel"))
_NO_LOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/sync")
_KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_SUDOERS = ("/etc/sudoers", "/etc/sudoers.d/*")
_MOST_BYTES = 1024 * 1024


def look(record: Record) -> None:
    """Tell a record what has changed; at first everything is as it should be."""
    now = _snapshot()
    before = record.memory("accounts", None)
    if before is not None:
        for what, identity, details in differences(before, now):
            at = time.time()
            # The same may happen again: taken away, and back.
            record.add(what, at, "{}|{}".format(identity, at), **details)
    record.remember("accounts", now)


def differences(
    before: "Dict[str, Any]", now: "Dict[str, Any]"
) -> "Iterator[Tuple[str, str, Dict[str, Any]]]":
    """Yield what is different between two looks: what, of what, details. Pure."""
    yield from _of_accounts(before["accounts"], now["accounts"])
    yield from _of_groups(before["groups"], now["groups"], now["accounts"])
    for user, key in _added(before["keys"], now["keys"]):
        yield "key_new", user + key, {"user": user, "key": key, "note": now["keys"][user][key]}
    for user, key in _added(now["keys"], before["keys"]):
        yield "key_gone", user + key, {"user": user, "key": key, "note": before["keys"][user][key]}
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
        for user in sorted(set(now[group]) - set(before.get(group, ()))):
            what = "group_mighty" if group in _MIGHTY else "group_joined"
            yield what, group + ":" + user, {"group": group, "user": user}


def _added(before: "Dict[str, Any]", now: "Dict[str, Any]") -> "List[Tuple[str, str]]":
    return [
        (user, key)
        for user in sorted(now)
        for key in sorted(now[user])
        if key not in before.get(user, ())
    ]


def _snapshot() -> "Dict[str, Any]":
    passwords = {fields[0]: fields[1] for fields in _lines("/etc/shadow", 2)}
    accounts = {}
    keys = {}
    for fields in _lines("/etc/passwd", 7):
        hashed = passwords.get(fields[0], fields[1])
        accounts[fields[0]] = {
            "uid": fields[2],
            "shell": fields[6],
            "password": hashlib.sha256(hashed.encode()).hexdigest(),
        }
        found = _keys(fields[5])
        if found:
            keys[fields[0]] = found
    groups = {
        fields[0]: sorted(one for one in fields[3].split(",") if one)
        for fields in _lines("/etc/group", 4)
    }
    rules = sorted(path for pattern in _SUDOERS for path in glob.glob(pattern))
    sudoers = {path: hashlib.sha256(_content(path)).hexdigest() for path in rules}
    return {"accounts": accounts, "groups": groups, "keys": keys, "sudoers": sudoers}


def _lines(path: str, least: int) -> "Iterator[List[str]]":
    for line in _content(path).decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) >= least:
            yield fields


def _keys(home: str) -> "Dict[str, str]":
    """Return the keys that let somebody in, by fingerprint, with the note beside each."""
    found = {}
    for name in _KEY_FILES:
        for line in _content(os.path.join(home, name)).decode("utf-8", "replace").splitlines():
            words = line.split()
            for number, word in enumerate(words):
                fingerprint = _fingerprint(word)
                if fingerprint:
                    found[fingerprint] = " ".join(words[number + 1 :])[:100]
                    break
    return found


def _fingerprint(word: str) -> str:
    """Return the fingerprint of a key as OpenSSH writes it, empty where the word is none."""
    # The type's name, with its length before it, begins every public key.
    if not word.startswith("AAAA"):
        return ""
    try:
        blob = base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _content(path: str) -> bytes:
    """Return what a file holds, up to a bound; of what is no file nothing: homes are not ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return b""
        return file.read(_MOST_BYTES)

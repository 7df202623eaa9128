"""ClamAV's signature databases on this host: which ones there are, and from when they are.

Official ones tell it in their head, our own in the line with which the mirror begins them.
"""

import os
import time

from .host import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

DIRECTORY = "/var/lib/clamav"
# Files of our own, as the mirror names them.
OWN = "luytre-own"
OWN_SUFFIXES = (".hdb", ".ndb", ".yar")
OWN_NAMES = tuple(OWN + suffix for suffix in OWN_SUFFIXES)
_OFFICIAL_SUFFIXES = (".cvd", ".cld")
# libclamav, "cvd.c": the head is 512 bytes, fields divided by colons, the ninth is a Unix time.
_HEAD = 512
_MAGIC = "ClamAV-VDB"
_FIELDS = 9
_STAMPED = "luytre-signatures: "
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Database:
    """One database: its file's name, whether it is ours, its version, when it was built (seconds).

    ``version`` is empty for our own.
    """

    __slots__ = ("built", "name", "own", "version")

    def __init__(self, name: str, own: bool, version: str, built: float) -> None:
        self.name = name
        self.own = own
        self.version = version
        self.built = built


def databases(directory: str = DIRECTORY) -> "List[Database]":
    """Return the official databases and our own, by name; others' are passed over.

    Raises Unreadable where one of them does not tell from when it is.
    """
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise Unreadable("{}: {}".format(directory, problem.strerror)) from None
    found = []
    for name in names:
        one = database(os.path.join(directory, name))
        if one is not None:
            found.append(one)
    return found


def database(path: str) -> "Optional[Database]":
    """Return an official database or one of our own, None for any other file.

    Raises Unreadable where it does not tell from when it is.
    """
    stem, suffix = os.path.splitext(os.path.basename(path))
    if suffix in _OFFICIAL_SUFFIXES:
        return official(path)
    return _own(path) if stem == OWN and suffix in OWN_SUFFIXES else None


def official(path: str) -> Database:
    """Return what the head of an official database says; raises Unreadable for no such head."""
    fields = _head(path).decode("ascii", "replace").split(":")
    try:
        if fields[0] != _MAGIC or len(fields) < _FIELDS:
            raise ValueError
        return Database(os.path.basename(path), False, str(int(fields[2])), float(int(fields[8])))
    except ValueError:
        raise Unreadable("{}: no head of a signature database".format(path)) from None


def telling(found: "List[Database]") -> "Optional[Database]":
    """Return the database that tells how old the signatures are, None where it is missing.

    The daily one does, of the official ones; where there is none, that of our own which is the
    oldest: the mirror lets all of them say each day that they are of now.
    """
    daily = [one for one in found if one.name.startswith("daily.")]
    if daily:
        return max(daily, key=lambda one: one.built)
    return min(found, key=lambda one: one.built) if found and all(o.own for o in found) else None


def stamp(name: str, moment: float) -> str:
    """Return the line with which the mirror begins one of our own databases."""
    comment = "//" if name.endswith(".yar") else "#"
    shown = time.strftime(_MOMENT, time.gmtime(moment))
    return "{} {}{} {}\n".format(comment, _STAMPED, int(moment), shown)


def _own(path: str) -> Database:
    line = _head(path).split(b"\n")[0].decode("utf-8", "replace")
    _comment, _between, told = line.partition(_STAMPED)
    try:
        built = float(int(told.split()[0]))
    except (IndexError, ValueError):
        raise Unreadable("{}: it does not say from when it is".format(path)) from None
    return Database(os.path.basename(path), True, "", built)


def _head(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise Unreadable("{}: {}".format(path, problem.strerror)) from None
    try:
        return os.read(descriptor, _HEAD)
    except OSError as problem:
        raise Unreadable("{}: {}".format(path, problem.strerror)) from None
    finally:
        os.close(descriptor)

"""Permission bits, owner and group of files and directories that others may move or replace.

Logs are rotated, users do as they like in their directories. What was captured belongs to one
inode: where the path leads to another one now, or to nothing, there is nothing left to put back.
No link is followed, in no part of the path: it could lead root to somebody's wish.
"""

import errno
import os
import stat

from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

_CAPABILITIES = "security.capability"
# Neither O_PATH nor O_DIRECTORY alone: the directories on the way are only passed through.
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LAST = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
GONE = {"type": "absent"}


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return which inode stands at a path, and its permission bits, owner and group."""
    descriptor = _open(key)
    if descriptor is None:
        return dict(GONE), b""
    try:
        return _state(descriptor), b""
    finally:
        os.close(descriptor)


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Put bits, owner and group back, where the same inode still stands there."""
    descriptor = None if state == GONE else _open(key)
    if descriptor is None:
        return
    try:
        if _state(descriptor)["inode"] == state["inode"]:
            _put_on(descriptor, state)
    finally:
        os.close(descriptor)


def replaced(before: "Dict[str, Any]", now: "Dict[str, Any]") -> bool:
    """Return whether what was captured is not there any more, so that nothing is to be put back."""
    return before.get("inode") != now.get("inode")


def change(
    key: str, keep: int = 0o7777, add: int = 0, uid: "Optional[int]" = None, gid: int = -1
) -> None:
    """Take permission bits away (all but ``keep``), add others, and give it to a user or group.

    Works on what stands there now, and never on a link; what is gone is left alone.
    """
    descriptor = _open(key)
    if descriptor is None:
        return
    try:
        wanted = _state(descriptor)
        wanted["mode"] = wanted["mode"] & keep | add
        wanted["uid"] = wanted["uid"] if uid is None else uid
        wanted["gid"] = wanted["gid"] if gid < 0 else gid
        _put_on(descriptor, wanted)
    finally:
        os.close(descriptor)


def _open(key: str) -> "Optional[int]":
    """Return an open file or directory; None where there is none, or a link on the way to it."""
    parts = [part for part in key.split("/") if part]
    descriptor = os.open("/", _STEP)
    try:
        for part in parts[:-1]:
            above, descriptor = descriptor, os.open(part, _STEP, dir_fd=descriptor)
            os.close(above)
        name = parts[-1] if parts else "."
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return None
        return os.open(name, _LAST, dir_fd=descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise Unreadable("{}: {}".format(key, problem.strerror)) from None
    finally:
        os.close(descriptor)


def _state(descriptor: int) -> "Dict[str, Any]":
    found = os.fstat(descriptor)
    type_ = "directory" if stat.S_ISDIR(found.st_mode) else "file"
    inode = "{}:{}".format(found.st_dev, found.st_ino)
    state = {"type": type_, "inode": inode, "mode": stat.S_IMODE(found.st_mode)}
    return dict(state, uid=found.st_uid, gid=found.st_gid, capabilities=_capabilities(descriptor))


def _put_on(descriptor: int, wanted: "Dict[str, Any]") -> None:
    present = _state(descriptor)
    if (present["uid"], present["gid"]) != (wanted["uid"], wanted["gid"]):
        os.fchown(descriptor, wanted["uid"], wanted["gid"])
        # The kernel takes a program's capabilities away when its owner changes.
        if wanted["capabilities"]:
            os.setxattr(descriptor, _CAPABILITIES, bytes.fromhex(wanted["capabilities"]))
    # Last: a change of owner clears the bits for other identities.
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != wanted["mode"]:
        os.fchmod(descriptor, wanted["mode"])
    os.fsync(descriptor)


def _capabilities(descriptor: int) -> str:
    try:
        if _CAPABILITIES not in os.listxattr(descriptor):
            return ""
        return os.getxattr(descriptor, _CAPABILITIES).hex()
    except OSError as problem:
        if problem.errno == errno.EOPNOTSUPP:
            return ""
        raise

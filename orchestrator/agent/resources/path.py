"""Files, directories and symbolic links: type, content, mode, owner, extended attributes."""

import os
import stat

from ..host import FILE_LIMIT, Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

ABSENT = {"type": "absent"}


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the state of a path; a symbolic link is captured itself, never followed."""
    try:
        found = os.lstat(key)
    except (FileNotFoundError, NotADirectoryError):
        return dict(ABSENT), b""
    except OSError as problem:
        raise Unreadable("{}: {}".format(key, problem.strerror)) from None
    state: "Dict[str, Any]" = {"uid": found.st_uid, "gid": found.st_gid}
    if stat.S_ISLNK(found.st_mode):
        state.update(type="link", target=os.readlink(key))
        return state, b""
    state.update(mode=stat.S_IMODE(found.st_mode), xattrs=_xattrs(key))
    if stat.S_ISDIR(found.st_mode):
        state.update(type="directory")
        return state, b""
    if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_LIMIT:
        raise Unreadable(
            "{}: neither a file of at most {} bytes nor a directory".format(key, FILE_LIMIT)
        )
    state.update(type="file", mtime_ns=found.st_mtime_ns)
    return state, host.read(key) or b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Put a path back: same type, bytes, mode, owner and attributes, or gone."""
    wanted = state["type"]
    present = capture(key, host)[0]["type"]
    if present not in ("absent", wanted):
        _remove(key, present)
        present = "absent"
    if wanted == "absent":
        if present != "absent":
            _remove(key, present)
    elif wanted == "link":
        _link(key, state)
    elif wanted == "directory":
        if present == "absent":
            os.mkdir(key, 0o700)
        redress(key, state)
    else:
        write(key, content, state)


def write(key: str, content: bytes, state: "Dict[str, Any]") -> None:
    """Replace a file atomically: temporary file, owner, mode, attributes, fsync, rename."""
    directory, name = os.path.split(key)
    temporary = os.path.join(directory, ".{}.luytre".format(name))
    _discard(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fchown(descriptor, state["uid"], state["gid"])
        os.fchmod(descriptor, state["mode"])
        for attribute, value in state.get("xattrs", {}).items():
            os.setxattr(descriptor, attribute, bytes.fromhex(value))
        if "mtime_ns" in state:
            os.utime(descriptor, ns=(state["mtime_ns"], state["mtime_ns"]))
        os.fsync(descriptor)
        os.rename(temporary, key)
    except BaseException:
        _discard(temporary)
        raise
    finally:
        os.close(descriptor)
    sync_directory(directory)


def redress(key: str, state: "Dict[str, Any]") -> None:
    """Change owner, mode and attributes of a file or directory in place."""
    descriptor = os.open(key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchown(descriptor, state["uid"], state["gid"])
        os.fchmod(descriptor, state["mode"])
        for attribute, value in state.get("xattrs", {}).items():
            os.setxattr(descriptor, attribute, bytes.fromhex(value))
    finally:
        os.close(descriptor)


def sync_directory(directory: str) -> None:
    """Make a rename or a removal in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def missing_parents(key: str) -> "list[str]":
    """Return the directories above a path that do not exist, outermost first."""
    missing: "list[str]" = []
    directory = os.path.dirname(key)
    while directory != "/" and not os.path.isdir(directory):
        missing.insert(0, directory)
        directory = os.path.dirname(directory)
    return missing


def _link(key: str, state: "Dict[str, Any]") -> None:
    directory, name = os.path.split(key)
    temporary = os.path.join(directory, ".{}.luytre".format(name))
    _discard(temporary)
    os.symlink(state["target"], temporary)
    os.lchown(temporary, state["uid"], state["gid"])
    os.rename(temporary, key)
    sync_directory(directory)


def _remove(key: str, present: str) -> None:
    if present == "directory":
        os.rmdir(key)
    else:
        os.unlink(key)
    sync_directory(os.path.dirname(key))


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _xattrs(key: str) -> "Dict[str, str]":
    try:
        names = os.listxattr(key, follow_symlinks=False)
        return {name: os.getxattr(key, name, follow_symlinks=False).hex() for name in sorted(names)}
    except OSError as problem:
        raise Unreadable("{}: extended attributes: {}".format(key, problem.strerror)) from None

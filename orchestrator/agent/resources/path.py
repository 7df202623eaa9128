"""Files, directories and symbolic links: type, content, mode, owner, extended attributes."""

import os
import stat

from ..host import FILE_LIMIT, Host, NotEmpty, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple, Union

ABSENT = {"type": "absent"}
_LABELS = ("security.selinux", "security.SMACK", "security.ima", "security.evm")


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the state of a path and its content; a link is captured itself, never followed."""
    state = look(key)
    if state["type"] != "file":
        return state, b""
    if os.lstat(key).st_size > FILE_LIMIT:
        raise Unreadable("{}: larger than {} bytes".format(key, FILE_LIMIT))
    return state, host.read(key) or b""


def look(key: str) -> "Dict[str, Any]":
    """Return the state of a path without its content.

    Raises Unreadable for devices, pipes and sockets: they are never touched.
    """
    try:
        found = os.lstat(key)
    except (FileNotFoundError, NotADirectoryError):
        return dict(ABSENT)
    except OSError as problem:
        raise Unreadable("{}: {}".format(key, problem.strerror)) from None
    state: "Dict[str, Any]" = {"uid": found.st_uid, "gid": found.st_gid}
    if stat.S_ISLNK(found.st_mode):
        state.update(type="link", target=os.readlink(key))
        return state
    state.update(mode=stat.S_IMODE(found.st_mode), xattrs=_xattrs(key))
    if stat.S_ISDIR(found.st_mode):
        state.update(type="directory")
    elif stat.S_ISREG(found.st_mode):
        state.update(type="file", mtime_ns=found.st_mtime_ns)
    else:
        raise Unreadable("{}: neither a file nor a directory".format(key))
    return state


def written(key: str, host: Host) -> bytes:
    """Return what a file holds that is ours to replace; nothing where it is absent or a link.

    A link to /dev/null is how a drop-in is switched off (sysctl.d(5) and others).
    """
    return b"" if os.path.islink(key) else host.read(key) or b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Put a path back: same type, bytes, mode, owner and attributes, or gone.

    Only what differs is written: a file that is as it was may be immutable, or open elsewhere.
    Raises NotEmpty for a directory that should be gone and is not empty.
    """
    wanted = state["type"]
    # What a killed change left half made goes as well.
    _temporary(*os.path.split(key))
    present = look(key)
    if wanted == "absent" and present["type"] == "directory" and os.listdir(key):
        raise NotEmpty("{}: not empty".format(key))
    if present["type"] not in ("absent", wanted):
        _remove(key, present["type"])
        present = dict(ABSENT)
    if wanted == "absent":
        return
    make_parents(key)
    if wanted == "link":
        if present != state:
            _link(key, state)
    elif wanted == "directory":
        if present["type"] == "absent":
            os.mkdir(key, 0o700)
            sync_directory(os.path.dirname(key))
        redress(key, state)
    elif present["type"] == "file" and _holds(key, content, host):
        redress(key, state)
    else:
        write(key, content, state)


def rewrite(key: str, content: bytes, fresh: "Optional[Dict[str, Any]]" = None) -> None:
    """Replace a file's content; it keeps its mode, owner and attributes.

    ``fresh`` is the dress of what is no file yet; without it, there must be one.
    """
    state = look(key)
    state.pop("mtime_ns", None)
    write(key, content, state if fresh is None or state["type"] == "file" else fresh)


def write(key: str, content: bytes, state: "Dict[str, Any]") -> None:
    """Replace a file atomically: temporary file, owner, mode, attributes, fsync, rename."""
    directory, name = os.path.split(key)
    temporary = _temporary(directory, name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        _put_on(descriptor, state)
        os.fsync(descriptor)
        os.rename(temporary, key)
    except BaseException:
        _discard(temporary)
        raise
    finally:
        os.close(descriptor)
    sync_directory(directory)


def redress(key: str, state: "Dict[str, Any]") -> None:
    """Change owner, mode, attributes (and time, if given) of a file or directory in place."""
    descriptor = os.open(key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _put_on(descriptor, state)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_on(descriptor: int, state: "Dict[str, Any]") -> None:
    """Give an open file owner, mode, attributes and time, as far as they differ."""
    found = os.fstat(descriptor)
    if (found.st_uid, found.st_gid) != (state["uid"], state["gid"]):
        os.fchown(descriptor, state["uid"], state["gid"])
    if "xattrs" in state:
        _put_xattrs(descriptor, state["xattrs"])
    # Last: a change of owner clears the bits for other identities, an access list sets the group's.
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != state["mode"]:
        os.fchmod(descriptor, state["mode"])
    if "mtime_ns" in state and found.st_mtime_ns != state["mtime_ns"]:
        os.utime(descriptor, ns=(state["mtime_ns"], state["mtime_ns"]))


def _put_xattrs(descriptor: int, wanted: "Dict[str, str]") -> None:
    present = _xattrs(descriptor)
    for name in present:
        # Labels of a security module are its own business; what it needs, it sets.
        if name not in wanted and not name.startswith(_LABELS):
            os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(descriptor, name, bytes.fromhex(value))


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


def make_parents(key: str) -> None:
    """Make the missing directories above a path: root's, open to read."""
    for parent in missing_parents(key):
        os.mkdir(parent, 0o755)
        redress(parent, {"uid": 0, "gid": 0, "mode": 0o755})
        sync_directory(os.path.dirname(parent))


def _holds(key: str, content: bytes, host: Host) -> bool:
    return os.lstat(key).st_size == len(content) and host.read(key) == content


def _link(key: str, state: "Dict[str, Any]") -> None:
    directory, name = os.path.split(key)
    temporary = _temporary(directory, name)
    os.symlink(state["target"], temporary)
    os.lchown(temporary, state["uid"], state["gid"])
    os.rename(temporary, key)
    sync_directory(directory)


def _temporary(directory: str, name: str) -> str:
    """Return the free place beside a path where its successor is made (255 bytes: NAME_MAX)."""
    place = os.path.join(directory, ".{}.luytre".format(name[:60]))
    _discard(place)
    return place


def _remove(key: str, present: str) -> None:
    if present == "directory":
        os.rmdir(key)
    else:
        _discard(key)
    sync_directory(os.path.dirname(key))


def _discard(path: str) -> None:
    # Looked for first: on a read-only file system, even to remove nothing is an error.
    if not os.path.lexists(path):
        return
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _xattrs(place: "Union[str, int]") -> "Dict[str, str]":
    """Return the attributes of a path (never following a link) or of an open file, in hex."""
    try:
        if isinstance(place, int):
            return {name: os.getxattr(place, name).hex() for name in sorted(os.listxattr(place))}
        names = sorted(os.listxattr(place, follow_symlinks=False))
        return {name: os.getxattr(place, name, follow_symlinks=False).hex() for name in names}
    except OSError as problem:
        raise Unreadable("{}: extended attributes: {}".format(place, problem.strerror)) from None

"""How a file stands there, in the form in which AIDE's databases tell it."""

import base64
import hashlib
import os
import stat

from .entries import GONE, NOTHING, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    # How a path was left, as far as that is known: "sort" (file, directory), "mode" (four octal
    # digits), "uid", "gid", and the digest of the content by the digest's name.
    Known = Dict[str, Any]


_DIGESTS = ("md5", "sha1")
_SORTS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory"}


def stands_of(path: str, since: float, known: "Known") -> "Optional[str]":
    """Return the state of a path; None where nobody wrote it since then, or it is no matter.

    ``known`` is how it was left: what stands there in another way is not whoever's left it so.
    """
    try:
        found = os.lstat(path)
        # The kernel's own time is some milliseconds behind.
        if found.st_ctime < since - 1:
            return None
        if not _as_left(found, known):
            return None
        link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else NOTHING
        content = NOTHING
        if stat.S_ISREG(found.st_mode):
            content, given = _digests(path, [name for name in _DIGESTS if name in known])
            if any(given[name] != known[name] for name in given):
                return None
        access, attributes = _attributes(path)
    except (FileNotFoundError, NotADirectoryError):
        return GONE
    except OSError:
        return None
    mode = "{:o}".format(found.st_mode)
    whole = [link, mode, str(found.st_uid), str(found.st_gid), content, access, attributes]
    return state(whole)


def _as_left(found: os.stat_result, known: "Known") -> bool:
    told = {
        "sort": _SORTS.get(stat.S_IFMT(found.st_mode), "other"),
        "mode": "{:04o}".format(stat.S_IMODE(found.st_mode)),
        "uid": found.st_uid,
        "gid": found.st_gid,
    }
    return all(told[key] == known[key] for key in told if key in known)


def _digests(path: str, names: "List[str]") -> "Tuple[str, Dict[str, str]]":
    """Return a file's SHA-256, as AIDE writes it, and other digests of it by their names."""
    sha256 = hashlib.sha256()
    others = {name: hashlib.new(name) for name in names}
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        for chunk in iter(lambda: file.read(1024 * 1024), b""):
            for digest in (sha256, *others.values()):
                digest.update(chunk)
    told = base64.b64encode(sha256.digest()).decode()
    return told, {name: others[name].hexdigest() for name in others}


def _attributes(path: str) -> "Tuple[str, str]":
    """Return an access list (no state that AIDE tells, where there is one) and attributes."""
    names = os.listxattr(path, follow_symlinks=False)
    own = [name for name in names if not name.startswith("system.")]
    access = "extended" if any(name.startswith("system.posix_acl") for name in names) else ""
    told = [str(len(own))]
    for name in own:
        value = os.getxattr(path, name, follow_symlinks=False)
        told += [name, base64.b64encode(value).decode()]
    return access, ",".join(told) if own else ""

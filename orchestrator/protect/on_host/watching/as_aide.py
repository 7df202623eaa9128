"""How a file stands there, in the form in which AIDE's databases tell it."""

import base64
import hashlib
import os
import stat

from .entries import GONE, NOTHING, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple


def stands_of(path: str, since: float, md5: "Optional[str]") -> "Optional[str]":
    """Return the state of a path; None where nobody wrote it since then, or it is no matter.

    ``md5`` is what its package says of it: another content is not the package's.
    """
    try:
        found = os.lstat(path)
        # The kernel's own time is some milliseconds behind.
        if found.st_ctime < since - 1:
            return None
        link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else NOTHING
        content, brought = _digests(path) if stat.S_ISREG(found.st_mode) else (NOTHING, md5)
        access, attributes = _attributes(path)
    except (FileNotFoundError, NotADirectoryError):
        return GONE
    except OSError:
        return None
    if md5 not in (None, brought):
        return None
    mode = "{:o}".format(found.st_mode)
    whole = [link, mode, str(found.st_uid), str(found.st_gid), content, access, attributes]
    return state(whole)


def _digests(path: str) -> "Tuple[str, str]":
    """Return a file's SHA-256, as AIDE writes it, and its MD5, as dpkg does."""
    sha256, md5 = hashlib.sha256(), hashlib.md5()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        for chunk in iter(lambda: file.read(1024 * 1024), b""):
            sha256.update(chunk)
            md5.update(chunk)
    return base64.b64encode(sha256.digest()).decode(), md5.hexdigest()


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

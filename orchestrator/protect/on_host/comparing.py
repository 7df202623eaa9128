"""Compare what was restored with what the snapshot says of every path.

A snapshot's id is the hash of all that it says: nobody can change this list and keep the id.
"""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator

# How Go's os.FileMode, which restic tells, names the bits that are not permissions.
_GO_BITS = ((1 << 23, stat.S_ISUID), (1 << 22, stat.S_ISGID), (1 << 20, stat.S_ISVTX))
_TYPES = {
    "file": stat.S_ISREG,
    "dir": stat.S_ISDIR,
    "symlink": stat.S_ISLNK,
    "fifo": stat.S_ISFIFO,
    "dev": stat.S_ISBLK,
    "chardev": stat.S_ISCHR,
}
# restic keeps that a socket was there, and restores none.
_NOT_RESTORED = "socket"


class Comparison:
    """One tree below ``root`` against a list; ``files`` and ``bytes`` are what was the same."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files = 0
        self.bytes = 0

    def differences(self, listed: "Iterable[Dict[str, Any]]") -> "Iterator[str]":
        """Yield what is not as listed, one sentence a path; what nobody listed counts too.

        ``listed``: the nodes of ``restic ls --json`` (path, type, size, mode, uid, gid).
        """
        expected = 0
        for node in listed:
            if node["type"] == _NOT_RESTORED:
                continue
            expected += 1
            why = self._difference(node)
            if why:
                yield "{}: {}".format(node["path"], why)
        found = sum(len(names) + len(others) for _top, names, others in os.walk(self.root))
        if found != expected:
            yield "{} paths are there, and the snapshot lists {}".format(found, expected)

    def _difference(self, node: "Dict[str, Any]") -> str:
        try:
            seen = os.lstat(self.root + node["path"])
        except OSError as problem:
            return "did not come back ({})".format(problem.strerror)
        if not _TYPES[node["type"]](seen.st_mode):
            return "is no {}".format(node["type"])
        if (seen.st_uid, seen.st_gid) != (node["uid"], node["gid"]):
            told = "belongs to {}:{}, not {}:{}"
            return told.format(seen.st_uid, seen.st_gid, node["uid"], node["gid"])
        mode = permissions(node["mode"])
        if node["type"] != "symlink" and stat.S_IMODE(seen.st_mode) != mode:
            return "has mode {:04o}, not {:04o}".format(stat.S_IMODE(seen.st_mode), mode)
        if node["type"] != "file":
            return ""
        # restic leaves the size out where it is 0.
        size = node.get("size", 0)
        if seen.st_size != size:
            return "has {} bytes, not {}".format(seen.st_size, size)
        self.files += 1
        self.bytes += seen.st_size
        return ""


def permissions(mode: int) -> int:
    """Return the mode of chmod(2) that restic's mode stands for."""
    return (mode & 0o777) | sum(ours for theirs, ours in _GO_BITS if mode & theirs)

"""A detection as it is kept and told: of a file as it was when it was seen."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

_FIELDS = ("path", "signature", "sha256", "size", "uid", "mode", "changed_ns", "inode")


def detection(path: str, signature: str, seen: os.stat_result, sha256: str) -> "Dict[str, Any]":
    """Return a detection; ``sha256`` is empty where the content is not known."""
    return {
        "path": path,
        "signature": signature,
        "sha256": sha256,
        "size": seen.st_size,
        "uid": seen.st_uid,
        "mode": seen.st_mode & 0o7777,
        "changed_ns": seen.st_ctime_ns,
        "inode": seen.st_ino,
        "quarantine": "",
        "left": "",
    }


def of_kept(about: "Dict[str, Any]") -> "Dict[str, Any]":
    """Return the detection of a file that is in the quarantine; raises KeyError."""
    told = {field: about[field] for field in _FIELDS}
    return dict(told, quarantine=about["name"], left="")

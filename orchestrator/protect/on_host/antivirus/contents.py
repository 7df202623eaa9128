"""What files hold, read as far as they went when they were seen; and room for copies of them.

Their owners, who may be intruders, let them grow meanwhile: no copy goes on for that.
"""

import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_PIECE = 1 << 20
# What stays free of a disk, of its bytes and of its files.
_FREE = 0.05


class ContentError(Exception):
    """A file was not copied; the text says why."""


def digest(source: int, size: int) -> str:
    """Return the SHA-256 of an open file from its beginning, of so many bytes at most."""
    return _poured(source, None, size)


def copy(source: int, target: int, size: int) -> str:
    """Copy an open file from its beginning; return its SHA-256.

    Raises ContentError where it holds more bytes than it did, OSError.
    """
    poured = _poured(source, target, size)
    if os.pread(source, 1, size):
        raise ContentError("it grew meanwhile")
    return poured


def require_room(directory: str, size: int) -> None:
    """Raise ContentError where a file of this size would fill the disk: people may make many."""
    place = os.statvfs(directory)
    left = place.f_bavail * place.f_frsize - size
    # Some file systems have no fixed number of files, and say 0.
    if left < place.f_blocks * place.f_frsize * _FREE or place.f_favail < place.f_files * _FREE:
        raise ContentError("too little room")


def _poured(source: int, target: "Optional[int]", size: int) -> str:
    made, at = hashlib.sha256(), 0
    while at < size:
        piece = os.pread(source, min(_PIECE, size - at), at)
        if not piece:
            break
        made.update(piece)
        at += len(piece)
        while target is not None and piece:
            piece = piece[os.write(target, piece) :]
    return made.hexdigest()

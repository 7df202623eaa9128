"""The SHA-256 of what can be read, whatever its size."""

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Tuple

_CHUNK = 1024 * 1024


def sha256(file: "IO[bytes]") -> "Tuple[str, int]":
    """Return the digest of a stream in hexadecimal, and its bytes; raises OSError."""
    whole, size = hashlib.sha256(), 0
    for chunk in iter(lambda: file.read(_CHUNK), b""):
        whole.update(chunk)
        size += len(chunk)
    return whole.hexdigest(), size

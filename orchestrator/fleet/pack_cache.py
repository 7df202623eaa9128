"""The agent's frames, kept between commands: to make them takes a third of a second.

They stand in the user's cache directory, and are made anew where that cannot be trusted or used.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Of one installation there are two; more are those of other versions, or of edited sources.
_MOST = 8
_SUFFIX = ".frames"
_DIGEST, _SIZE = hashlib.sha256().digest_size, 8

Frames = tuple[bytes, bytes]


def kept(name: str, make: Callable[[], Frames]) -> Frames:
    """Return two frames by the digest of what they are made of; ``make`` is called where needed.

    What was cut short or altered on the disk is not used. A cache that cannot be written costs
    time only.
    """
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError:  # neither HOME nor a line in passwd
        return make()
    file = home / "luytre" / f"{name}{_SUFFIX}"
    with suppress(OSError, ValueError):
        return _read(file)
    frames = make()
    with suppress(OSError):
        _write(file, frames)
    return frames


def _read(file: Path) -> Frames:
    """Return what is in a file; raises OSError, ValueError where it is not ours or not whole."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        _require_ours(os.fstat(descriptor), file)
        told, rest = opened.read(_DIGEST), opened.read()
    if hashlib.sha256(rest).digest() != told:
        raise ValueError(file)
    end = _SIZE + int.from_bytes(rest[:_SIZE], "big")
    return rest[_SIZE:end], rest[end:]


def _write(file: Path, frames: Frames) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    first, second = frames
    rest = len(first).to_bytes(_SIZE, "big") + first + second
    descriptor, new = tempfile.mkstemp(dir=file.parent, suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(hashlib.sha256(rest).digest() + rest)
        Path(new).replace(file)
    except BaseException:
        Path(new).unlink()
        raise
    others = sorted(file.parent.glob(f"*{_SUFFIX}"), key=lambda one: one.stat().st_mtime)
    for other in others[:-_MOST]:
        other.unlink(missing_ok=True)


def _require_ours(found: os.stat_result, file: Path) -> None:
    """Raise ValueError where somebody else could have written the code that hosts will run."""
    alien = found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022
    if alien or not stat.S_ISREG(found.st_mode):
        raise ValueError(file)

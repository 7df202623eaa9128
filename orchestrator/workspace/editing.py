"""Changing a file of the operator's: one at a time, whole or not at all."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _


@contextmanager
def editing(path: Path, *, new_mode: int = 0o640) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Yield the text of a file (empty where it is missing), and what to call with the new one.

    Nobody else edits the file in this way meanwhile. Owner and mode stay (``new_mode`` is that of a
    file that was missing); a link is followed.
    Raises ConfigurationError where the file cannot be read or written.
    """
    place = path.resolve()
    with _our_errors(path):
        directory = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with _our_errors(path):
            fcntl.flock(directory, fcntl.LOCK_EX)
            text = place.read_text(encoding="utf-8") if place.exists() else ""

        def write(new: str) -> None:
            with _our_errors(path):
                _replace(place, new, new_mode)

        yield text, write
    finally:
        os.close(directory)


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else _("is not UTF-8 text")
        message = _("cannot be changed: {reason}").format(reason=reason)
        raise ConfigurationError(message, position=Position(str(path))) from error


def _replace(place: Path, text: str, new_mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            _dress_like(place, file.fileno(), new_mode)
            os.fsync(file.fileno())
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _dress_like(place: Path, descriptor: int, new_mode: int) -> None:
    if not place.exists():
        os.fchmod(descriptor, new_mode)
        return
    known, new = place.stat(), os.fstat(descriptor)
    if (known.st_uid, known.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, known.st_uid, known.st_gid)
    os.fchmod(descriptor, known.st_mode & 0o7777)

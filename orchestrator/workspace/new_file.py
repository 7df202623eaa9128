"""A new file of the operator's: it gets its name when it is whole, where that name is free."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _


def require_free(target: Path) -> None:
    """Raise ConfigurationError where ``target`` is there already, or its directory is not."""
    if os.path.lexists(target):
        raise _taken(target)
    if not target.parent.is_dir():
        message = _("is not a directory")
        raise ConfigurationError(message, position=Position(str(target.parent)))


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file (0600) that gets its name when it is on the disk, or else leaves nothing behind.

    Raises ConfigurationError where the name was taken meanwhile, OSError where it cannot be
    written.
    """
    descriptor, name = tempfile.mkstemp(prefix=".luytre-", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    except FileExistsError as error:
        raise _taken(target) from error
    finally:
        draft.unlink()


def _taken(target: Path) -> ConfigurationError:
    message = _("is there already; nothing was written")
    return ConfigurationError(message, position=Position(str(target)))

"""Secrets of the operator: from a file or a descriptor, never an argument or a variable."""

import os
import stat
from pathlib import Path
from typing import IO

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _

_LONGEST = 1024


def from_file(path: Path) -> str:
    """Return the first line of a file that only its owner may read; raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            # A pipe of the shell (/dev/fd/63) is nobody else's, whatever its mode.
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                raise ConfigurationError(
                    _("other users may read it"),
                    position=Position(str(path)),
                    hint=_("chmod 600 {path}").format(path=path),
                )
            return _first_line(file)
    except OSError as error:
        message = _("cannot be read: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(path))) from error


def from_descriptor(number: int) -> str:
    """Return the first line of an open file descriptor; raises ConfigurationError."""
    try:
        with os.fdopen(number, "rb", closefd=False) as file:
            return _first_line(file)
    except OSError as error:
        message = _("descriptor {n} cannot be read: {reason}")
        raise ConfigurationError(message.format(n=number, reason=error.strerror)) from error


def _first_line(file: IO[bytes]) -> str:
    line = file.readline(_LONGEST).rstrip(b"\r\n")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(_("its first line is not UTF-8 text")) from error

"""A passphrase: asked for on the terminal, or read from a file or descriptor; never an argument."""

import functools
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from orchestrator.model.errors import ConfigurationError, Position, RefusedError
from orchestrator.model.i18n import _

Command = TypeVar("Command", bound=Callable[..., Any])
SHORTEST = 12
_LONGEST = 1024


@dataclass(frozen=True)
class Source:
    """Where a passphrase comes from; the terminal unless one of both is given."""

    file: Path | None = None
    descriptor: int | None = None

    def read(self, *, new: bool) -> str:
        """Return the passphrase; a ``new`` one is asked for twice, and must not be short.

        Raises ConfigurationError where it is unusable, RefusedError where nobody is there to ask.
        """
        if self.file is not None and self.descriptor is not None:
            raise click.UsageError(_("name either --passphrase-file or --passphrase-fd"))
        if self.file is not None:
            told = _from_file(self.file)
        elif self.descriptor is not None:
            told = _from_descriptor(self.descriptor)
        else:
            told = _asked(new=new)
        if not told:
            raise ConfigurationError(_("the passphrase is empty"))
        if new and len(told) < SHORTEST:
            message = _("the passphrase has fewer than {n} characters").format(n=SHORTEST)
            raise ConfigurationError(message, hint=_("four words or more are easy to keep"))
        return told


def passphrase_options(command: Command) -> Command:
    """Add ``--passphrase-file`` and ``--passphrase-fd``; the command gets ``source: Source``."""

    @functools.wraps(command)
    def sourcing(*args: Any, **options: Any) -> Any:
        source = Source(options.pop("passphrase_file"), options.pop("passphrase_fd"))
        return command(*args, source=source, **options)

    file = click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        metavar=_("FILE"),
        help=_("Read the passphrase from the first line of this file, which only you may read."),
    )
    descriptor = click.option(
        "--passphrase-fd",
        type=click.IntRange(min=0),
        metavar=_("N"),
        help=_("Read the passphrase from this open file descriptor."),
    )
    return file(descriptor(sourcing))  # type: ignore[return-value]


def _asked(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise RefusedError(
            _("refused: nobody is there to type the passphrase"),
            hint=_("pass --passphrase-file or --passphrase-fd"),
        )
    told: str = click.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=new, err=True)
    return told


def _from_file(path: Path) -> str:
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


def _from_descriptor(number: int) -> str:
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
        raise ConfigurationError(_("the passphrase is not UTF-8 text")) from error

"""A passphrase: asked for on the terminal, or read from a file or descriptor; never an argument."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestrator.cli.secret_source import from_descriptor, from_file
from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _

Command = TypeVar("Command", bound=Callable[..., Any])
SHORTEST = 12


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
            told = from_file(self.file)
        elif self.descriptor is not None:
            told = from_descriptor(self.descriptor)
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

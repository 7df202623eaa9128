"""How a host is entered that is not manageable yet: the account, and its password if it has one."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli.secret_source import from_descriptor, from_file
from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.bootstrap import Entrance

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Way:
    """The account, and where its password comes from; the terminal unless something is given."""

    user: str
    file: Path | None = None
    descriptor: int | None = None
    without: bool = False

    def check(self) -> None:
        """Raise click.UsageError where several sources are given."""
        given = [self.file is not None, self.descriptor is not None, self.without]
        if sum(given) > 1:
            raise click.UsageError(
                _("name one of --password-file, --password-fd, --no-password at most")
            )

    def entrance(self) -> "Entrance":
        """Return the account with its password.

        Raises ConfigurationError where it is unusable, RefusedError where nobody is there to ask.
        """
        from orchestrator.fleet.bootstrap import Entrance  # noqa: PLC0415 - start-up time

        if self.without:
            return Entrance(self.user)
        if self.file is not None:
            told = from_file(self.file)
        elif self.descriptor is not None:
            told = from_descriptor(self.descriptor)
        else:
            told = _asked(self.user)
        if not told:
            raise ConfigurationError(_("the password is empty"))
        return Entrance(self.user, told)


def entrance_options(command: Command) -> Command:
    """Add ``--login-user`` and the sources of its password; the command gets ``way: Way``."""

    @functools.wraps(command)
    def entering(*args: Any, **options: Any) -> Any:
        names = ("login_user", "password_file", "password_fd", "no_password")
        return command(*args, way=Way(*(options.pop(name) for name in names)), **options)

    decorators = (
        click.option(
            "--login-user",
            default="root",
            show_default=True,
            metavar=_("USER"),
            help=_("The account that the servers let in today; with sudo unless it is root."),
        ),
        click.option(
            "--password-file",
            type=click.Path(path_type=Path),
            metavar=_("FILE"),
            help=_("Read its password from the first line of this file, which only you may read."),
        ),
        click.option(
            "--password-fd",
            type=click.IntRange(min=0),
            metavar=_("N"),
            help=_("Read its password from this open file descriptor."),
        ),
        click.option(
            "--no-password", is_flag=True, help=_("Your key already lets this account in.")
        ),
    )
    made: Any = entering
    for decorate in reversed(decorators):
        made = decorate(made)
    return made  # type: ignore[no-any-return]


def _asked(user: str) -> str:
    if not sys.stdin.isatty():
        raise RefusedError(
            _("refused: nobody is there to type the password"),
            hint=_("pass --password-file, --password-fd or --no-password"),
        )
    told: str = click.prompt(_("Password of {user}").format(user=user), hide_input=True, err=True)
    return told

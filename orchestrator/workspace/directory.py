"""The workspace: the directory that holds ``luytre.yml``, and what lies in it."""

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.workspace import settings as settings_file
from orchestrator.workspace.digest_key import read_or_create
from orchestrator.workspace.own_roles import DIRECTORY as ROLES
from orchestrator.workspace.settings import FILE_NAME, Settings
from orchestrator.workspace.shipped import shipped
from orchestrator.workspace.yaml_source import read

VARIABLE = "LUYTRE_WORKSPACE"
STATE, STORE_FILE = ".luytre", "store.sqlite"


class NoWorkspaceError(ConfigurationError):
    """No workspace was named and none was found here or above."""


@dataclass(frozen=True)
class Workspace:
    """One operator's workspace; ``directory`` is absolute."""

    directory: Path
    settings: Settings

    @property
    def state(self) -> Path:
        """Return the directory of our own files; ``prepare_state`` creates it."""
        return self.directory / STATE

    @property
    def store_file(self) -> Path:
        """Return the file of the store."""
        return self.state / STORE_FILE

    @property
    def pins_file(self) -> Path:
        """Return the file of the pinned host keys."""
        return self.state / "known_hosts"

    @property
    def waivers_file(self) -> Path:
        """Return the file of the accepted failures; it may be missing."""
        return self.directory / "waivers.yml"

    @property
    def roles_dir(self) -> Path:
        """Return the directory of the operator's own Ansible roles; it may be missing."""
        return self.directory / ROLES

    @property
    def baseline_dirs(self) -> tuple[Path, ...]:
        """Return the directories of controls and profiles, the shipped one first."""
        return (shipped("baselines"), *self.settings.baselines)

    @property
    def template_dirs(self) -> tuple[Path, ...]:
        """Return the directories of templates in the order of search: the operator's first."""
        return (*self.settings.templates, shipped("templates"))

    @property
    def playbooks_dir(self) -> Path:
        """Return the directory of the shipped playbooks."""
        return shipped("playbooks")

    def prepare_state(self) -> Path:
        """Create the state directory (0700) where it is missing, and return it.

        Raises ConfigurationError where it is a link, or open to other users.
        """
        try:
            self.state.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = _("cannot be created: {reason}").format(reason=error.strerror)
            raise ConfigurationError(message, position=Position(str(self.state))) from error
        if self.state.is_symlink() or self.state.stat().st_mode & 0o077:
            raise ConfigurationError(
                _("must be a directory that only its owner can enter"),
                position=Position(str(self.state)),
                hint=_("chmod 700 {path}").format(path=self.state),
            )
        return self.state

    def digest_key(self) -> bytes:
        """Return the 32 secret bytes that digests of contents are keyed with, created once.

        Raises ConfigurationError where the file cannot be trusted.
        """
        return read_or_create(self.prepare_state() / "digest.key")


def load(directory: Path | None = None) -> Workspace:
    """Load the workspace: ``directory``, else the environment's, else here or above.

    Raises ConfigurationError with file, line and column; NoWorkspaceError where none was found.
    """
    named = directory or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    home = named.expanduser().absolute() if named else find(Path.cwd())
    if home is None:
        hint = _("create one with: luytre init  (or name one with {variable})")
        message = _("there is no {file} here or in a directory above").format(file=FILE_NAME)
        raise NoWorkspaceError(message, hint=hint.format(variable=VARIABLE))
    if not (home / FILE_NAME).is_file():
        message = _("{directory} is not a workspace: it has no {file}")
        raise ConfigurationError(
            message.format(directory=home, file=FILE_NAME), hint=_("create it with: luytre init")
        )
    return Workspace(home, settings_file.parse(read(home / FILE_NAME), home))


def find(start: Path) -> Path | None:
    """Return the nearest directory from ``start`` upwards that holds ``luytre.yml``, or None.

    A file of another user is refused (a workspace can name programs to run, and anybody may
    write to a directory such as /tmp): raises ConfigurationError.
    """
    for place in (start.absolute(), *start.absolute().parents):
        file = place / FILE_NAME
        if not file.is_file():
            continue
        if file.stat().st_uid not in (0, os.geteuid()):
            raise ConfigurationError(
                _("belongs to another user, so it is not used without being asked for"),
                position=Position(str(file)),
                hint=_("name it: {variable}={place}").format(variable=VARIABLE, place=place),
            )
        return place
    return None

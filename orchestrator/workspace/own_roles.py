"""The operator's own Ansible roles that run beside a change: their names in ``luytre.yml``."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.workspace.fields import Fields

DIRECTORY = "roles"
_FIELD = "own_roles"
# No dot and no slash: Ansible would take it for a collection's role, or for a path.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_TASKS = ("main.yml", "main.yaml")


@dataclass(frozen=True)
class OwnRoles:
    """Names of roles, in the order they run: ``before`` and ``after`` the change of a host."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.before or self.after)


NONE = OwnRoles()


def digests(roles: OwnRoles, directory: Path) -> dict[str, str]:
    """Return by name a digest over each of the workspace's roles; nothing where none of them runs.

    Roles that are not named count as well: those that are may include them. Raises
    ConfigurationError for what cannot be read.
    """
    try:
        return {each.name: _digest(each) for each in directory.iterdir()} if roles else {}
    except OSError as error:
        message = _("cannot be read: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(error.filename))) from error


def _digest(role: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(role.rglob("*")):
        told = [
            path.relative_to(role).as_posix(),
            str(path.readlink()) if path.is_symlink() else "",
        ]
        if path.is_file():
            told += [hashlib.sha256(path.read_bytes()).hexdigest()]
        whole.update(json.dumps(told).encode() + b"\n")
    return whole.hexdigest()


def read_own_roles(fields: Fields, value: Any, workspace: Path) -> OwnRoles:
    """Return the roles that the settings name; what is wrong with them is noted in ``fields``."""
    given = fields.mapping(value, (_FIELD,), ("before", "after"))
    roles = workspace / DIRECTORY
    return OwnRoles(
        before=_names(fields, given.get("before", []), "before", roles),
        after=_names(fields, given.get("after", []), "after", roles),
    )


def _names(fields: Fields, value: Any, moment: str, roles: Path) -> tuple[str, ...]:
    names = fields.texts(value, (_FIELD, moment))
    for index, name in enumerate(names):
        if not name:
            continue  # noted already
        wrong, hint = _problem(name, roles)
        if name in names[:index]:
            wrong, hint = _("{name!r} is named twice").format(name=name), ""
        if wrong:
            fields.problem(wrong, (_FIELD, moment, index), hint=hint)
    return names


def _problem(name: str, roles: Path) -> tuple[str, str]:
    """Return what is wrong with a role, and a hint; empty where nothing is."""
    if not _NAME.fullmatch(name):
        hint = _("letters, digits, hyphens, underscores; a letter in front")
        return _("{name!r} is not the name of a role").format(name=name), hint
    place = roles / name
    if not place.is_dir():
        known = sorted(one.name for one in roles.glob("*/")) if roles.is_dir() else []
        message = _("there is no role {name!r} in {directory}")
        return message.format(name=name, directory=roles), known_hint(name, known) if known else ""
    if roles.is_symlink() or place.is_symlink():
        return _("{path} is a symlink: refused").format(path=place), ""
    if not any((place / "tasks" / tasks).is_file() for tasks in _TASKS):
        return _("{path} has no tasks/main.yml").format(path=place), ""
    return "", ""

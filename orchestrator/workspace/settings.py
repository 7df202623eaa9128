"""The operator's settings: what ``luytre.yml`` says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.model.i18n import _
from orchestrator.model.protection import USUAL, Gate
from orchestrator.workspace.fields import Fields
from orchestrator.workspace.own_roles import NONE, OwnRoles, read_own_roles
from orchestrator.workspace.yaml_source import Document

FILE_NAME = "luytre.yml"
_KNOWN = (
    "operator",
    "inventory",
    "profile",
    "baselines",
    "templates",
    "concurrency",
    "confirm_window",
    "journal_days",
    "own_roles",
    "backup_gate",
    "debsecan",
    "language",
)
_LONGEST_KEY = 16 * 1024


@dataclass(frozen=True)
class Operator:
    """The person at the controller; ``ssh_key`` is the file of the public key."""

    name: str
    ssh_key: Path | None = None


@dataclass(frozen=True)
class Settings:
    """What ``luytre.yml`` says, with its defaults; every path is absolute.

    ``confirm_window`` is in seconds: after them an unconfirmed host puts itself back. A run can be
    taken back for ``journal_days``; then a host discards what it keeps for that. ``backup_gate`` is
    what a host must have before it is changed. ``debsecan`` is a file of known holes.
    ``baselines`` and ``templates`` are the extra directories, beside the shipped ones.
    """

    operator: Operator
    inventory: Path
    profile: str = "cis-level1-server"
    baselines: tuple[Path, ...] = ()
    templates: tuple[Path, ...] = ()
    concurrency: int = 20
    confirm_window: int = 60
    journal_days: int = 90
    own_roles: OwnRoles = NONE
    backup_gate: Gate = USUAL
    debsecan: Path | None = None
    language: str | None = None


def parse(document: Document, directory: Path) -> Settings:
    """Return the settings of a read ``luytre.yml``; relative paths start at ``directory``.

    Raises ConfigurationError with the place of the first value that is wrong.
    """
    fields = Fields(document)
    given = fields.mapping(document.data, (), _KNOWN, required=("operator",))
    settings = Settings(
        operator=_operator(fields, given.get("operator"), directory),
        inventory=directory / fields.text(given.get("inventory", "inventories"), ("inventory",)),
        profile=fields.text(given.get("profile", Settings.profile), ("profile",)),
        baselines=_directories(fields, given, "baselines", directory),
        templates=_directories(fields, given, "templates", directory),
        concurrency=_integer(fields, given, "concurrency", (1, 500)),
        confirm_window=_integer(fields, given, "confirm_window", (10, 3600)),
        journal_days=_integer(fields, given, "journal_days", (1, 3650)),
        own_roles=read_own_roles(fields, given.get("own_roles", {}), directory),
        backup_gate=_gate(fields, given.get("backup_gate", {})),
        debsecan=_file(fields, given, "debsecan", directory),
        language=_language(fields, given),
    )
    fields.raise_first()
    return settings


def name_problem(name: str) -> str:
    """Return what is wrong with an operator's name; empty where nothing is."""
    if not name.strip() or name.strip().lower() == "root" or not name.isprintable():
        return _("must be the name of a person, so that the audit log can name one")
    return ""


def key_problem(path: Path) -> tuple[str, str]:
    """Return what is wrong with the file of a public key, and a hint; empty where nothing is."""
    try:
        with path.open("rb") as file:
            start = file.read(_LONGEST_KEY)
    except OSError as error:
        message = _("{path} cannot be read: {reason}")
        return message.format(path=path, reason=error.strerror), ""
    if b"PRIVATE KEY" in start:
        hint = _("name the public key instead: the file that ends with .pub")
        return _("{path} is a private key").format(path=path), hint
    if not start.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return _("{path} is not an SSH public key").format(path=path), ""
    return "", ""


def _operator(fields: Fields, value: Any, directory: Path) -> Operator:
    at = ("operator",)
    given = fields.mapping(value, at, ("name", "ssh_key"), required=("name",))
    name = fields.text(given["name"], (*at, "name")) if "name" in given else ""
    if name and (wrong := name_problem(name)):
        fields.problem(wrong, (*at, "name"))
    if given.get("ssh_key") is None:
        return Operator(name)
    path = directory / Path(fields.text(given["ssh_key"], (*at, "ssh_key"))).expanduser()
    wrong, hint = key_problem(path)
    if wrong:
        fields.problem(wrong, (*at, "ssh_key"), hint=hint)
    return Operator(name, path)


def _directories(
    fields: Fields, given: dict[str, Any], name: str, directory: Path
) -> tuple[Path, ...]:
    texts = fields.texts(given.get(name, []), (name,))
    paths = tuple(directory / Path(text).expanduser() for text in texts)
    for index, path in enumerate(paths):
        if not path.is_dir():
            fields.problem(_("{path} is not a directory").format(path=path), (name, index))
    return paths


def _file(fields: Fields, given: dict[str, Any], name: str, directory: Path) -> Path | None:
    if given.get(name) is None:
        return None
    path = directory / Path(fields.text(given[name], (name,))).expanduser()
    if not path.is_file():
        fields.problem(_("{path} is not a file").format(path=path), (name,))
    return path


def _integer(fields: Fields, given: dict[str, Any], name: str, bounds: tuple[int, int]) -> int:
    return fields.integer(given.get(name, getattr(Settings, name)), (name,), *bounds)


def _gate(fields: Fields, value: Any) -> Gate:
    at = ("backup_gate",)
    given = fields.mapping(value, at, ("backup_hours", "drill_days"))
    hours = given.get("backup_hours", Gate.backup_hours)
    days = given.get("drill_days", Gate.drill_days)
    return Gate(
        fields.integer(hours, (*at, "backup_hours"), 1, 24 * 365),
        fields.integer(days, (*at, "drill_days"), 1, 3650),
    )


def _language(fields: Fields, given: dict[str, Any]) -> str | None:
    value = given.get("language")
    return None if value is None else fields.choice(value, ("language",), ("vi", "en"))

"""Our own inventory variables: ``luytre_*``, flat, declared here once. Imports pydantic.

They end up in rule sets and configuration files: nothing passes that could mean more there than
what its name says. Runs in the resolver's process only; the controller gets plain, validated data.
"""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_serializer,
    model_validator,
)

from orchestrator.baseline.variables import PARAMETER
from orchestrator.fleet.pins import NAME
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

_LONGEST_NAME = 200
# Names become directories, report titles and table cells; a slash or a control character in one
# of those is an attack or an accident.
_FORBIDDEN_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\;<>|&$`\"']")

# useradd(8) of Debian; longer names do not fit the host's own records of logins.
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# From when to when, past midnight perhaps.
_HOURS = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?")


class Problem(NamedTuple):
    """What is wrong with one variable: the path inside it, and the words."""

    variable: str
    inside: tuple[str | int, ...]
    message: str


def _agency(value: str) -> str:
    name = value.strip()
    odd = _FORBIDDEN_IN_NAMES.search(name) or not name.isprintable()
    if not name or odd or name[0] in "-." or len(name) > _LONGEST_NAME:
        raise ValueError
    return name


def _host_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError
    return value


def _account(value: str) -> str:
    if not _ACCOUNT.fullmatch(value):
        raise ValueError
    return value


def _network(value: Any) -> str:
    # ipaddress takes integers and scopes (fe80::1%eth0); nobody means those in an inventory.
    if not isinstance(value, str) or "%" in value:
        raise ValueError
    return str(ipaddress.ip_network(value))


def _server(value: Any) -> str:
    """Return the name or the address of a server: one word in any configuration file."""
    if not isinstance(value, str) or "%" in value:
        raise ValueError
    return value.lower() if NAME.fullmatch(value) else str(ipaddress.ip_address(value))


def _merged(networks: list[str]) -> list[str]:
    """Return the networks, IPv4 first, without overlaps: nft refuses those in a set."""
    found = [ipaddress.ip_network(network) for network in networks]
    v4 = ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(n for n in found if isinstance(n, ipaddress.IPv6Network))
    return [str(network) for network in (*v4, *v6)]


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError
    if not _ADDRESS.fullmatch(value):
        raise ValueError
    return value


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError
    return value


def _absolute_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value.startswith("/") or not value.isprintable() or ".." in path.parts:
        raise ValueError
    return str(path)


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError
    return value


Number = Annotated[int, BeforeValidator(_no_truth_value)]
ServiceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Port = Annotated[Number, Field(ge=1, le=65535)]
Network = Annotated[str, BeforeValidator(_network)]
Server = Annotated[str, BeforeValidator(_server)]
Networks = Annotated[list[Network], Field(min_length=1), AfterValidator(_merged)]


# PostgreSQL and MariaDB take up to 63 and 64 bytes; a leading hyphen would be an option.
DatabaseName = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62})$")]
AbsolutePath = Annotated[str, AfterValidator(_absolute_path)]
Account = Annotated[str, AfterValidator(_account)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Accounts = Annotated[list[Account], Field(min_length=1)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Service(_Declared):
    """One service that a host offers; without ``sources`` everybody may reach it."""

    name: ServiceName
    port: Port
    protocol: Literal["tcp", "udp"] = "tcp"
    sources: Networks = []


class HealthCheck(_Declared):
    """One thing that must answer before and after a change; exactly one of the four is set."""

    tcp: Port | None = None
    address: Server | None = None
    http: Annotated[str, AfterValidator(_url)] | None = None
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9_@:.\\-]+\.[a-z]+$")] | None = None
    command: Annotated[str, AfterValidator(_one_line)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "HealthCheck":
        kinds = [self.tcp, self.http, self.unit, self.command]
        if sum(kind is not None for kind in kinds) != 1 or (self.address and self.tcp is None):
            raise ValueError
        return self

    @model_serializer
    def _set_only(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if value is not None}


class Database(_Declared):
    """One database to back up; exactly one engine is named, ``*`` stands for all of a server's."""

    postgresql: DatabaseName | None = None
    mariadb: DatabaseName | None = None
    sqlite: AbsolutePath | None = None

    @model_validator(mode="after")
    def _one(self) -> "Database":
        if sum(name is not None for name in self.__dict__.values()) != 1:
            raise ValueError
        return self

    @model_serializer
    def _set_only(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if value is not None}


class DrillPlace(_Declared):
    """Where a server's backups are restored for a drill, and what must run there afterwards."""

    host: Annotated[str, AfterValidator(_host_name)]
    packages: list[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]*$")]] = []
    units: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_@:.\\-]+\.service$")]] = []


class HostVariables(_Declared):
    """Every ``luytre_*`` variable that exists; another one is an error."""

    luytre_agency: Annotated[str, AfterValidator(_agency)] | None = None
    luytre_level: Annotated[Number, Field(ge=1, le=5)] | None = None
    luytre_management: Literal["managed", "audit-only", "unmanaged"] = "managed"
    luytre_services: list[Service] | None = None
    luytre_keep_services: list[ServiceName] | None = None
    luytre_ssh_groups: Accounts | None = None
    luytre_admin_sources: Networks | None = None
    luytre_bastions: Networks | None = None
    luytre_jump: Annotated[str, AfterValidator(_host_name)] | None = None
    luytre_jump_host: StrictBool = False
    luytre_sudo_without_password: list[Annotated[str, AfterValidator(_account)]] | None = None
    luytre_clamav_mirror: Annotated[str, AfterValidator(_url)] | None = None
    luytre_antivirus_mirror: Annotated[str, AfterValidator(_host_name)] | None = None
    luytre_antivirus_official: StrictBool | None = None
    luytre_antivirus_paths: Annotated[list[AbsolutePath], Field(min_length=1)] | None = None
    luytre_antivirus_excludes: list[AbsolutePath] | None = None
    luytre_antivirus_quarantine: StrictBool | None = None
    luytre_antivirus_time: TimeOfDay | None = None
    luytre_time_servers: Annotated[list[Server], Field(min_length=1)] | None = None
    luytre_log_host: Server | None = None
    luytre_log_tls: Annotated[str, AfterValidator(_host_name)] | None = None
    luytre_log_collector: StrictBool | None = None
    luytre_health: list[HealthCheck] | None = None
    luytre_reboot_window: Annotated[str, Field(pattern=_HOURS)] | None = None
    luytre_backup_vault: Annotated[str, AfterValidator(_host_name)] | None = None
    luytre_backup_port: Port | None = None
    luytre_backup_copy: Annotated[str, AfterValidator(_host_name)] | None = None
    luytre_backup_paths: list[AbsolutePath] | None = None
    luytre_backup_excludes: list[Annotated[str, AfterValidator(_one_line)]] | None = None
    luytre_backup_databases: list[Database] | None = None
    luytre_backup_waived: Annotated[str, AfterValidator(_one_line)] | None = None
    luytre_backup_drill: DrillPlace | None = None
    luytre_backup_time: TimeOfDay | None = None


_INNER: Mapping[str, type[_Declared]] = {
    "luytre_health": HealthCheck,
    "luytre_backup_databases": Database,
    "luytre_backup_drill": DrillPlace,
}


def validate(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the validated variables by full name (only those that were set) and what is wrong.

    ``values`` is plain data (strings, numbers, lists, mappings). The result is plain data as well:
    networks in their canonical form, defaults of a service filled in. Parameters of profiles
    (``luytre_param_*``) may have any name here.
    """
    parameters = {name: value for name, value in values.items() if name.startswith(PARAMETER)}
    declared = {name: value for name, value in values.items() if name not in parameters}
    problems = list(_parameter_problems(parameters))
    try:
        checked = HostVariables.model_validate(declared)
    except ValidationError as error:
        return {}, [*_problems(error), *problems]
    if problems:
        return {}, problems
    plain = {**checked.model_dump(mode="json"), **parameters}
    return {name: plain[name] for name in values if plain[name] is not None}, []


def _parameter_problems(parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what no parameter can be; whether one exists, and takes it, the baseline knows."""
    expected = _("a number, true, false, text on one line, or a list of these")
    for name, value in parameters.items():
        items = value if isinstance(value, list) else [value]
        plain = all(isinstance(item, int | str) for item in items)
        if not plain or not all(item.isprintable() for item in items if isinstance(item, str)):
            message = _("{where}: expected {expected}, found {found}")
            found = quoted(repr(value))
            told = message.format(where=name, expected=expected, found=found)
            yield Problem(name, (), told)


def _problems(error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        location = tuple(detail["loc"])
        variable, inside = str(location[0]), location[1:]
        if detail["type"] == "extra_forbidden":
            yield Problem(variable, inside, _unknown(variable, inside))
            continue
        where = variable + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in inside
        )
        if detail["type"] == "missing":
            yield Problem(variable, inside[:-1], _("{where} is missing").format(where=where))
            continue
        message = _("{where}: expected {expected}, found {found}")
        expected = _expected(location)
        found = quoted(repr(detail["input"]))
        yield Problem(variable, inside, message.format(where=where, expected=expected, found=found))


def _unknown(variable: str, inside: tuple[str | int, ...]) -> str:
    inner = _INNER.get(variable, Service)
    known = inner.model_fields if inside else HostVariables.model_fields
    name = str(inside[-1]) if inside else variable
    close = difflib.get_close_matches(name, known, n=1)
    message = _("{name} is not known").format(name=name)
    if close:
        message += _("; did you mean {close}?").format(close=close[0])
    return message


def _expected(location: tuple[str | int, ...]) -> str:
    names = [part for part in location if isinstance(part, str)]
    listed = isinstance(location[-1], int)
    texts = {
        "luytre_agency": _("the name of an agency (no slashes, quotes or control characters)"),
        "luytre_level": _("a whole number from 1 to 5"),
        "luytre_management": "managed, audit-only, unmanaged",
        "luytre_services": _("a list of {name, port, protocol, sources}"),
        "luytre_keep_services": _("a list of names of services"),
        "luytre_ssh_groups": _("a list of groups, one at least"),
        "luytre_jump_host": _("true or false"),
        "luytre_sudo_without_password": _("a list of names of accounts"),
        "luytre_jump": _("the inventory name of a host"),
        "luytre_clamav_mirror": _("a web address (http:// or https://) without a password"),
        "luytre_antivirus_mirror": _("the inventory name of a host"),
        "luytre_antivirus_official": _("true or false"),
        "luytre_antivirus_paths": _("a list of absolute paths"),
        "luytre_antivirus_excludes": _("a list of absolute paths"),
        "luytre_antivirus_quarantine": _("true or false"),
        "luytre_antivirus_time": _("a time of day such as 01:30"),
        "luytre_time_servers": _("a list of names or addresses of servers"),
        "luytre_log_host": _("the name or the address of a server"),
        "luytre_health": _("a list of checks: {tcp: 443}, {http: URL}, {unit: NAME}, {command: …}"),
        "luytre_reboot_window": _("two times of day as HH:MM-HH:MM"),
        "luytre_backup_vault": _("the inventory name of a host"),
        "luytre_backup_copy": _("the inventory name of a host"),
        "luytre_backup_port": _("a port from 1 to 65535"),
        "luytre_backup_paths": _("a list of absolute paths"),
        "luytre_backup_excludes": _("a list of patterns, each on one line"),
        "luytre_backup_databases": _("a list of databases: {postgresql: NAME}, {mariadb: NAME}, …"),
        "luytre_backup_waived": _("the reason, on one line"),
        "luytre_backup_drill": _("{host: NAME, packages: [NAME, …], units: [NAME.service, …]}"),
        "luytre_backup_time": _("a time of day such as 01:30"),
        "name": _("a short name of lower-case letters, digits and hyphens"),
        "port": _("a port from 1 to 65535"),
        "protocol": "tcp, udp",
    }
    if names[-1] in ("sources", "luytre_admin_sources"):
        return _("a network such as 192.0.2.0/24") if listed else _("a list of networks")
    if listed and names[-1] == "luytre_sudo_without_password":
        return _("the name of an account")
    if listed and names[-1] == "luytre_ssh_groups":
        return _("the name of a group")
    if listed and names[-1] == "luytre_keep_services":
        return texts["name"]
    if listed and names[-1] == "luytre_time_servers":
        return texts["luytre_log_host"]
    if names[0] in _INNER:
        return texts[names[0]]
    return texts[names[-1]]

"""From Ansible's connection variables to an endpoint; what we cannot express is refused. Pure."""

import getpass
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.fleet.pins import NAME
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# Where Ansible knows several names for one thing, the last one that is set counts (its plugins'
# own order: connection/ssh.py, become/sudo.py).
ALIASES = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "key": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "sudo_password": ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
    "python": ("ansible_python_interpreter",),
    "method": ("ansible_become_method",),
    "become_user": ("ansible_become_user",),
    "connection": ("ansible_connection",),
}
ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
_PASSPHRASES = ("ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase")
KEY_CHECKS = ("ansible_host_key_checking", "ansible_ssh_host_key_checking")
_INEXPRESSIBLE = (
    "ansible_become_exe",
    "ansible_become_flags",
    "ansible_sudo_exe",
    "ansible_sudo_flags",
    "ansible_paramiko_proxy_command",
    "ansible_ssh_executable",
    "ansible_ssh_private_key",
)

CONNECTION_VARIABLES = frozenset(
    (
        *(name for names in ALIASES.values() for name in names),
        *ARGUMENTS,
        *_PASSWORDS,
        *_PASSPHRASES,
        *KEY_CHECKS,
        *_INEXPRESSIBLE,
    )
)

_SSH_CONNECTIONS = ("ssh", "smart", "paramiko", "paramiko_ssh")
_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\$?", re.ASCII)
_JUMP = re.compile(r"(?:(?P<user>[^@]+)@)?(?P<host>[^@:\[\]]+)(?::(?P<port>\d+))?")
_HIGHEST_PORT = 65535
_DEFAULT_PYTHON = "/usr/bin/python3"


class Wrong(Exception):  # noqa: N818 - becomes a ConfigurationError with its position
    """One variable cannot be used; ``variable`` names it (empty: the host's name)."""

    def __init__(self, variable: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.variable = variable
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Defaults:
    """What ansible.cfg says for hosts that say nothing themselves."""

    user: str = ""
    key: str = ""
    directory: Path = field(default_factory=Path.cwd)

    def user_or_mine(self) -> str:
        """Return the configured user, otherwise the operator's own name, as OpenSSH does."""
        return self.user or getpass.getuser()


class Jump(NamedTuple):
    """A jump host as ``-J [user@]host[:port]`` spells it; ``variable`` is where."""

    variable: str
    host: str
    user: str | None
    port: int | None


class Connection(NamedTuple):
    """One host's endpoint, and the jump host its SSH arguments ask for (not yet looked up)."""

    endpoint: Endpoint
    jump: Jump | None


def connection(name: str, values: Mapping[str, Any], defaults: Defaults) -> Connection:
    """Return how the host is reached, from its resolved variables (plain data).

    ``luytre_jump`` wins no quarrel: together with a jump in the SSH arguments it is refused.
    Raises Wrong for every value or variable that Lũy Tre cannot honour on both of its ways.
    """
    _refuse(values)
    jump = _jump(values)
    named = values.get("luytre_jump")
    if named is not None and not isinstance(named, str):
        raise Wrong("luytre_jump", _("luytre_jump: expected the inventory name of a host"))
    if jump is not None and named is not None:
        raise Wrong(
            "luytre_jump",
            _("luytre_jump and {other} both name a jump host").format(other=jump.variable),
        )
    endpoint = Endpoint(
        name=name,
        address=_address(name, values),
        port=_port(values),
        user=_user(values, defaults),
        key_files=_key_files(values, defaults),
        jump=named,
        sudo_password=_sudo_password(values),
        python=_python(values),
    )
    return Connection(endpoint, jump)


def jump_endpoint(jump: Jump, behind: Endpoint, known: Mapping[str, Endpoint]) -> Endpoint:
    """Return the endpoint of a jump host spelled ``-J user@host:port``.

    A host of the inventory with that name, or with that address, is meant where there is one;
    otherwise it becomes an endpoint of its own, under the name as spelled, with the key of the
    host ``behind`` it. Raises Wrong where two spellings contradict each other.
    """
    for endpoint in known.values():
        if jump.host in (endpoint.name, endpoint.address) and _agrees(jump, endpoint):
            return endpoint
    if jump.host in known or not NAME.fullmatch(jump.host):
        raise Wrong(
            jump.variable,
            _("the jump host {host} cannot be told from others").format(host=quoted(jump.host)),
            _declare_it(),
        )
    return Endpoint(
        name=jump.host,
        address=jump.host,
        port=jump.port or 22,
        user=jump.user or behind.user,
        key_files=behind.key_files,
    )


def _agrees(jump: Jump, endpoint: Endpoint) -> bool:
    return jump.user in (None, endpoint.user) and jump.port in (None, endpoint.port)


def _declare_it() -> str:
    return _("declare it as a host of the inventory and name it in luytre_jump")


def _last(values: Mapping[str, Any], what: str) -> tuple[str, Any]:
    found = [(name, values[name]) for name in ALIASES[what] if values.get(name) is not None]
    return found[-1] if found else ("", None)


def _refuse(values: Mapping[str, Any]) -> None:
    for name in _PASSWORDS:
        if name in values:
            raise Wrong(
                name,
                _("{name}: Lũy Tre logs in with SSH keys only").format(name=name),
                _("set ansible_ssh_private_key_file, and take the password out"),
            )
    for name in _PASSPHRASES:
        if name in values:
            message = _("{name}: passphrases belong in the SSH agent").format(name=name)
            raise Wrong(name, message, "ssh-add")
    for name in KEY_CHECKS:
        if name in values and str(values[name]).lower() not in ("true", "yes", "1"):
            message = _("{name}: host keys are always checked").format(name=name)
            raise Wrong(name, message, "luytre inventory enroll")
    for name in _INEXPRESSIBLE:
        if name in values:
            raise Wrong(name, _("{name} is not supported").format(name=name), _("take it out"))
    _refuse_other_ways(values)


def _refuse_other_ways(values: Mapping[str, Any]) -> None:
    name, value = _last(values, "connection")
    if value is not None and str(value).removeprefix("ansible.builtin.") not in _SSH_CONNECTIONS:
        raise Wrong(
            name,
            _("{name}: {value} is not SSH").format(name=name, value=quoted(str(value))),
            _("for hosts that Lũy Tre only counts, set luytre_management: unmanaged"),
        )
    name, value = _last(values, "method")
    if value is not None and str(value).removeprefix("ansible.builtin.") != "sudo":
        raise Wrong(name, _("{name}: only sudo is supported").format(name=name), _("use sudo"))
    name, value = _last(values, "become_user")
    if value is not None and value != "root":
        raise Wrong(name, _("{name}: only root is supported").format(name=name), _("take it out"))


def _address(name: str, values: Mapping[str, Any]) -> str:
    variable, value = _last(values, "address")
    address = name if value is None else str(value)
    if not _ADDRESS.fullmatch(address):
        raise Wrong(
            variable,
            _("{value} is not a host name or IP address").format(value=quoted(repr(address))),
        )
    return address


def _port(values: Mapping[str, Any]) -> int:
    variable, value = _last(values, "port")
    if value is None:
        return 22
    number = int(value) if re.fullmatch(r"[0-9]{1,5}", str(value)) else 0
    if not 1 <= number <= _HIGHEST_PORT:
        message = _("{name}: expected a port from 1 to 65535, found {found}")
        raise Wrong(variable, message.format(name=variable, found=quoted(repr(value))))
    return number


def _user(values: Mapping[str, Any], defaults: Defaults) -> str:
    variable, value = _last(values, "user")
    user = defaults.user_or_mine() if value is None else str(value)
    if not _USER.fullmatch(user):
        raise Wrong(variable, _("{value} is not a user name").format(value=quoted(repr(user))))
    return user


def _key_files(values: Mapping[str, Any], defaults: Defaults) -> tuple[Path, ...]:
    variable, value = _last(values, "key")
    path = defaults.key if value is None else str(value)
    if not path:
        return ()
    if not path.isprintable() or '"' in path:
        message = _("{value} is not a usable file name").format(value=quoted(repr(path)))
        raise Wrong(variable, message)
    return (defaults.directory / Path(path).expanduser(),)


def _sudo_password(values: Mapping[str, Any]) -> str | None:
    variable, value = _last(values, "sudo_password")
    if value is None:
        return None
    password = str(value)
    if not password or "\n" in password or "\0" in password:
        raise Wrong(variable, _("{name} is empty or has several lines").format(name=variable))
    return password


def _python(values: Mapping[str, Any]) -> str:
    variable, value = _last(values, "python")
    if value is None or str(value).startswith("auto"):
        return _DEFAULT_PYTHON
    if not re.fullmatch(r"/[A-Za-z0-9_./+-]+", str(value), re.ASCII):
        message = _("{name}: expected the full path of Python 3, found {found}")
        raise Wrong(variable, message.format(name=variable, found=quoted(repr(value))))
    return str(value)


def _jump(values: Mapping[str, Any]) -> Jump | None:
    jumps = []
    for variable in ARGUMENTS:
        value = values.get(variable)
        if value is not None and str(value).strip():
            jumps.extend(_parse_arguments(variable, str(value)))
    if len({jump[1:] for jump in jumps}) > 1:
        raise Wrong(jumps[1].variable, _("the SSH arguments name several jump hosts"))
    return jumps[0] if jumps else None


def _parse_arguments(variable: str, text: str) -> list[Jump]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        message = _("{name}: the quotes do not match").format(name=variable)
        raise Wrong(variable, message) from error
    jumps = []
    while words:
        word = words.pop(0)
        if word in ("-J", "-o") and words:
            word += words.pop(0)
        option = re.fullmatch(r"(?:-J|-o\s*ProxyJump\s*[=\s]\s*)(.+)", word, re.IGNORECASE)
        if option is None or word.startswith("-j"):
            raise Wrong(
                variable,
                _("{name}: {word} cannot be honoured; only -J host is").format(
                    name=variable, word=quoted(word)
                ),
                _("a jump host: luytre_jump; port, user and key: their ansible_* variables"),
            )
        jumps.append(_parse_jump(variable, option.group(1)))
    return jumps


def _parse_jump(variable: str, text: str) -> Jump:
    spelled = _JUMP.fullmatch(text)
    if spelled is None or "," in text:
        message = _("{name}: {text} is not one jump host").format(name=variable, text=quoted(text))
        raise Wrong(variable, message, _declare_it())
    user, port = spelled["user"], spelled["port"]
    if not _ADDRESS.fullmatch(spelled["host"]) or (user and not _USER.fullmatch(user)):
        message = _("{name}: {text} is not one jump host").format(name=variable, text=quoted(text))
        raise Wrong(variable, message, _declare_it())
    return Jump(variable, spelled["host"], user, int(port) if port else None)

"""The same way to each host for OpenSSH, and so for Ansible: one file for ``ssh -F``."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.fleet.connection import CONNECT_TIMEOUT, KEEPALIVE
from orchestrator.fleet.pins import NAME
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

FILE_NAME = "ssh_config"

# For every host, first, so that nothing later can loosen it (OpenSSH takes the first value).
_FOR_ALL = {
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
    "CheckHostIP": "no",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "BatchMode": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "CanonicalizeHostname": "no",
    "ConnectTimeout": f"{CONNECT_TIMEOUT:.0f}",
    "ServerAliveInterval": str(KEEPALIVE),
}

_WORD = re.compile(r"[A-Za-z0-9_.:@$%+-]+", re.ASCII)


def write_ssh_config(directory: Path, hosts: Iterable[ManagedHost], pins_file: Path) -> Path:
    """Write ``directory/ssh_config`` with one ``Host`` block per host; return its path.

    ``hosts`` must hold the jump hosts as well. A block is found by the host's inventory name,
    which is also the name that its key is pinned under. A host without a block is refused: it has
    no pinned key. Settings of connection sharing (ControlPath, ControlPersist) are left to the
    caller.

    Raises ConfigurationError for values that the file format cannot hold.
    """
    common = {**_FOR_ALL, "UserKnownHostsFile": _path(pins_file)}
    lines = ["Host *", *_settings(common)]
    for host in hosts:
        lines += ["", f"Host {_name(host.name)}", *_settings(dict(_block(host.endpoint)))]
    path = directory / FILE_NAME
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _block(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    # OpenSSH expands %-tokens in a host name; a scope id (fe80::1%eth0) needs its percent doubled.
    yield "HostName", _word(endpoint.address).replace("%", "%%")
    yield "Port", str(endpoint.port)
    yield "User", _word(endpoint.user)
    yield "HostKeyAlias", _name(endpoint.name)
    if endpoint.key_files:
        yield "IdentitiesOnly", "yes"
        for number, path in enumerate(endpoint.key_files):
            yield f"IdentityFile{' ' * number}", _path(path)
    if endpoint.jump is not None:
        yield "ProxyJump", _name(endpoint.jump)


def _settings(settings: dict[str, str]) -> list[str]:
    return [f"  {key.strip()} {value}" for key, value in settings.items()]


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise _unusable(name)
    return name


def _word(value: str) -> str:
    if value.startswith("-") or not _WORD.fullmatch(value):
        raise _unusable(value)
    return value


def _path(path: Path) -> str:
    text = str(path.absolute())
    if not text.isprintable() or re.search(r"[\"'\\$]", text):
        raise _unusable(text)
    return '"' + text.replace("%", "%%") + '"'


def _unusable(value: str) -> ConfigurationError:
    message = _("OpenSSH's configuration cannot hold {value}")
    return ConfigurationError(message.format(value=quoted(repr(value))))

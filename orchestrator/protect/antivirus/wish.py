"""What is to be scanned, and which host serves the signatures, as the inventory says it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from orchestrator.model.antivirus import MIRROR_VARIABLE, PATHS_VARIABLE
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.protect.on_host import copying, vault

URL_VARIABLE = "luytre_clamav_mirror"
# Where people put files, on every server of Debian.
USUAL_PATHS = ("/home", "/opt", "/root", "/srv", "/tmp", "/var/tmp")  # noqa: S108 - scanned
# Where intruders put them, on servers that have such a place.
USUAL_IF_THERE = ("/var/www", "/dev/shm")  # noqa: S108 - scanned
# Backups of other servers; encrypted, and a vault that loses a file of them loses all.
OURS = [vault.ROOT, copying.ROOT]
USUAL_TIME = "03:30"
_HTTP = 80


class MirrorPlace(NamedTuple):
    """Where a mirror serves: the name by which it is asked, port, and path."""

    name: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Return the address that clients ask, without a slash at its end."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"http://{name}:{self.port}{self.path}"


def scan_wish(host: ManagedHost) -> dict[str, Any]:
    """Return what is to be scanned on a host, as its program reads it."""
    declared = host.variables.get(PATHS_VARIABLE)
    return {
        "paths": list(declared or USUAL_PATHS),
        "paths_if_there": [] if declared else list(USUAL_IF_THERE),
        "excludes": [*host.variables.get("luytre_antivirus_excludes", ()), *OURS],
        "quarantine": bool(host.variables.get("luytre_antivirus_quarantine", False)),
    }


def scan_time(host: ManagedHost) -> str:
    """Return when a host scans each night."""
    return str(host.variables.get("luytre_antivirus_time", USUAL_TIME))


def mirrors(hosts: Sequence[ManagedHost], every: Mapping[str, ManagedHost]) -> list[ManagedHost]:
    """Return the hosts that serve signatures to some hosts, each once.

    Raises ConfigurationError for one that is no managed server of the inventory.
    """
    found: dict[str, ManagedHost] = {}
    for host in hosts:
        name = host.variables.get(MIRROR_VARIABLE)
        if name is None:
            continue
        if name not in every:
            message = _("{host}: {variable} names {other}, which is no managed server")
            told = message.format(host=host.name, variable=MIRROR_VARIABLE, other=name)
            raise ConfigurationError(told, hint=known_hint(str(name), sorted(every)))
        found[str(name)] = every[str(name)]
    return list(found.values())


def mirror_place(host: ManagedHost) -> MirrorPlace:
    """Return where a mirror serves, from the address that its own variables give.

    Raises ConfigurationError where they give none, or one that nginx would need a certificate for.
    """
    url = urlsplit(str(host.variables.get(URL_VARIABLE, "")))
    if url.scheme != "http" or not url.hostname:
        message = _("{host}: {variable} must say where it serves: http://NAME:PORT/PATH")
        raise ConfigurationError(message.format(host=host.name, variable=URL_VARIABLE))
    return MirrorPlace(url.hostname, url.port or _HTTP, url.path.rstrip("/"))

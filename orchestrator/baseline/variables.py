"""The host variables that templates may use, checked and brought into one form.

They end up in rule sets and configuration files, so nothing passes that could mean more there
than what its name says.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

PREFIX = "luytre_"
_SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_MIRROR = re.compile(r"(https?://)?[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?")
_HIGHEST_PORT = 65535


def checked(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``luytre_*`` variables of a host as plain data, the known ones in one form.

    Services become ``{name, port, protocol, sources}`` (``sources`` empty: everybody), networks
    are collapsed, IPv4 first. Raises ConfigurationError that names host and variable.
    """
    found = {}
    for name, value in variables.items():
        if not name.startswith(PREFIX):
            continue
        try:
            found[name] = _CHECKS.get(name, _unchanged)(plain_data(value))
        except ValueError as error:
            message = f"{host}: {name}: {error}"
            raise ConfigurationError(message, hint=needed_form(name)) from error
    return found


def needed_form(name: str) -> str:
    """Return how a known variable is to be written, or an empty text."""
    forms = {
        "luytre_admin_sources": _(
            "list the networks that may reach SSH, the jump host's among them, in the inventory: "
            "luytre_admin_sources: [192.0.2.0/28, '2001:db8::/64']"
        ),
        "luytre_services": _(
            "list in the inventory what the host offers, [] for nothing: "
            "luytre_services: [{name: https, port: 443, protocol: tcp, sources: [192.0.2.0/24]}]"
        ),
        "luytre_clamav_mirror": _(
            "name in the inventory where virus signatures come from: "
            "luytre_clamav_mirror: http://clamav.example.org"
        ),
    }
    return forms.get(name, "")


def plain_data(value: Any) -> Any:
    """Return a deep copy of plain types: dict, list, str, int, float, bool, None.

    Subclasses (Ansible marks its strings) lose their extras. Raises ValueError for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {plain_data(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(item) for item in value]
    raise ValueError(_("a {kind} is not plain data").format(kind=type(value).__name__))


def _unchanged(value: Any) -> Any:
    return value


def _services(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError(_("must be a list of services"))
    return [_service(item) for item in value]


def _service(item: Any) -> dict[str, Any]:
    known = {"name", "port", "protocol", "sources"}
    if not isinstance(item, dict) or not {"name", "port"} <= set(item) <= known:
        raise ValueError(_("a service takes name, port, protocol and sources"))
    name, port, protocol = item["name"], item["port"], item.get("protocol", "tcp")
    if not isinstance(name, str) or not _SERVICE_NAME.fullmatch(name):
        raise ValueError(_("{name!r} is not the name of a service").format(name=name))
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= _HIGHEST_PORT:
        message = _("{name}: the port must be a number from 1 to {highest}")
        raise ValueError(message.format(name=name, highest=_HIGHEST_PORT))
    if protocol not in ("tcp", "udp"):
        raise ValueError(_("{name}: the protocol must be tcp or udp").format(name=name))
    # The inventory refuses an empty list that was written down and fills one in where none was.
    sources = [] if item.get("sources", []) == [] else _networks(item["sources"])
    return {"name": name, "port": port, "protocol": protocol, "sources": sources}


def _networks(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError(_("must be a list of networks, and not an empty one"))
    found = [_network(item) for item in value]
    v4 = collapse_addresses(one for one in found if isinstance(one, IPv4Network))
    v6 = collapse_addresses(one for one in found if isinstance(one, IPv6Network))
    return [str(one) for one in (*v4, *v6)]


def _network(item: Any) -> IPv4Network | IPv6Network:
    if not isinstance(item, str) or "%" in item:
        raise ValueError(_("{item!r} is not a network").format(item=item))
    try:
        return ip_network(item)
    except ValueError as error:
        message = _("{item!r} is not a network: {reason}")
        raise ValueError(message.format(item=item, reason=error)) from error


def _mirror(value: Any) -> str:
    if not isinstance(value, str) or not _MIRROR.fullmatch(value):
        raise ValueError(_("must be a host name or an http(s) address"))
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_("must be true or false"))
    return value


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "luytre_services": _services,
    "luytre_admin_sources": _networks,
    "luytre_clamav_mirror": _mirror,
    "luytre_jump_host": _flag,
}

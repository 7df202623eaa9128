"""The checks that one value must pass, by the name of its type in a declaration."""

import ipaddress
from typing import Any, Optional

from .. import audit_text

_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-@:")

MOUNT_FLAGS = ("nodev", "nosuid", "noexec")


def templated(value: Any) -> bool:
    """Return whether a value is text that is still to be rendered."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def is_name(value: Any) -> bool:
    """Return whether a value may name a package, a user, a unit: no option, no blank."""
    return isinstance(value, str) and bool(value) and value[0] != "-" and set(value) <= _NAME


def is_mapped_name(key: Any) -> bool:
    """Return whether a key may name an option or a kernel parameter."""
    known = isinstance(key, str) and bool(key) and set(key) <= _NAME | set("/*")
    return known and ".." not in key.split("/")


def _string(value: Any) -> Optional[str]:
    return None if isinstance(value, str) else "must be text"


def _boolean(value: Any) -> Optional[str]:
    return None if isinstance(value, bool) else "must be true or false"


def _number(value: Any) -> Optional[str]:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if whole else "must be a whole number, not below 0"


def _port(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def _ports(value: Any) -> Optional[str]:
    if isinstance(value, list) and all(map(_port, value)):
        return None
    return "must be a list of ports"


def _is_server(value: Any) -> bool:
    return isinstance(value, str) and is_name(value.replace(":", "x"))


def _servers(value: Any) -> Optional[str]:
    if isinstance(value, list) and value and all(map(_is_server, value)):
        return None
    return "must be a list of names or addresses of servers"


def _rules(value: Any) -> Optional[str]:
    if not isinstance(value, list):
        return "must be a list of audit rules"
    for line in value:
        words = line.split() if isinstance(line, str) and line.isprintable() else []
        switch = words in (["-c"], ["-e", "1"], ["-e", "2"], ["-f", "1"], ["-f", "2"])
        if not switch and (len(words) < 2 or words[0] not in ("-a", "-w")):
            return "{!r} is no audit rule".format(line)
        try:
            if not switch:
                audit_text.parse(words)
        except audit_text.Broken:
            return "{!r} is no audit rule".format(line)
    return None


def _networks(value: Any) -> Optional[str]:
    if isinstance(value, list) and all(map(_is_network, value)):
        return None
    return "must be a list of networks such as 192.0.2.0/24"


def _is_network(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_network(value))
    except ValueError:
        return False


def _services(value: Any) -> Optional[str]:
    if isinstance(value, list) and all(map(_is_service, value)):
        return None
    return "must be a list of services with port and protocol"


def _is_service(value: Any) -> bool:
    known = isinstance(value, dict) and value.get("protocol") in ("tcp", "udp")
    return known and _port(value.get("port"))


def _name(value: Any) -> Optional[str]:
    return None if is_name(value) else "must be a name"


def _names(value: Any) -> Optional[str]:
    if is_name(value) or (isinstance(value, list) and value and all(map(is_name, value))):
        return None
    return "must be a name or a list of names"


def _unit(value: Any) -> Optional[str]:
    if is_name(value) and "." in value:
        return None
    return "must be a unit name with its suffix, such as ssh.service"


def _units(value: Any) -> Optional[str]:
    if isinstance(value, list) and value and not any(map(_unit, value)):
        return None
    return "must be a list of unit names with their suffix"


def _mode(value: Any) -> Optional[str]:
    if isinstance(value, str) and len(value) in (3, 4) and set(value) <= set("01234567"):
        return None
    return "must be permission bits in octal and in quotes, such as '0640'"


def _path(value: Any) -> Optional[str]:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value or "\n" in value:
        return "must be an absolute path"
    if any(part in ("", ".", "..") for part in value[1:].split("/")):
        return "must not hold empty parts, '.' or '..'"
    return None


def _template(value: Any) -> Optional[str]:
    relative = isinstance(value, str) and value and not value.startswith("/")
    if relative and ".." not in value.split("/"):
        return None
    return "must be a path below templates/"


def _globs(value: Any) -> Optional[str]:
    if not isinstance(value, list):
        return "must be a list of absolute paths or patterns"
    for pattern in value:
        if templated(pattern):
            continue
        if _path(pattern):
            return "{!r}: {}".format(pattern, _path(pattern))
        parts = pattern.split("/")
        if any("**" in part and part != "**" for part in parts) or "**" in parts[:-1]:
            return "{!r}: ** stands at the end, behind a /".format(pattern)
        if parts[1:2] == ["**"] or set(pattern) & set("?["):
            return "{!r}: of patterns, only * and /** below a directory are known".format(pattern)
    return None


def _mount_flags(value: Any) -> Optional[str]:
    if isinstance(value, list) and value and all(item in MOUNT_FLAGS for item in value):
        return None
    return "must be a list of {}".format(", ".join(MOUNT_FLAGS))


CHECKS = {
    "string": _string,
    "text": _string,
    "boolean": _boolean,
    "number": _number,
    "ports": _ports,
    "rules": _rules,
    "server": lambda value: None if _is_server(value) else "must be the name of a server",
    "servers": _servers,
    "networks": _networks,
    "services": _services,
    "name": _name,
    "names": _names,
    "unit": _unit,
    "units": _units,
    "mode": _mode,
    "path": _path,
    "template": _template,
    "globs": _globs,
    "mount_flags": _mount_flags,
}

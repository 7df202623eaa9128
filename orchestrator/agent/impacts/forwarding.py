"""Forwarding that is on and would be switched off: containers, virtual machines, tunnels."""

import os

from .. import conditions
from ..kinds import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from ..kinds import Target
    from ..kinds.sysctl import Value
    from . import Impact

_SWITCHES = ("ip_forward", "forwarding")
_INTERFACES = "/sys/class/net"
_LOOPBACK = "lo"
# netdevice(7): IFF_UP.
_UP = 1


def of_sysctl(
    want: "Dict[str, Any]", observed: "Dict[str, Value]", target: "Target"
) -> "List[Impact]":
    """Return the parameters that forward now and would not any more, and for which interfaces.

    Nothing can be passed on where there is one network interface only.
    """
    switched = [
        key
        for key, condition in want.items()
        if key.replace("/", ".").rpartition(".")[2] in _SWITCHES
        and observed[key].running == "1"
        and not conditions.meets(condition, "1")
    ]
    users = _users() if switched else []
    told = "{} passes packets on now and would not any more; interfaces: {}"
    return [("forwarding", told.format(key, listed(users, ", "))) for key in switched if users]


def _users() -> "List[str]":
    """Return the interfaces that are up, where there are several; otherwise bridges and tunnels."""
    names = sorted(name for name in os.listdir(_INTERFACES) if name != _LOOPBACK)
    up = [name for name in names if _is_up(name)]
    return up if len(up) > 1 else [name for name in names if _passes_on(name)]


def _is_up(name: str) -> bool:
    try:
        with open("{}/{}/flags".format(_INTERFACES, name)) as stream:
            return bool(int(stream.read(), 16) & _UP)
    except (OSError, ValueError):
        return False  # it has gone meanwhile


def _passes_on(name: str) -> bool:
    parts = ("bridge", "tun_flags")
    if any(os.path.exists("{}/{}/{}".format(_INTERFACES, name, part)) for part in parts):
        return True
    try:
        with open("{}/{}/uevent".format(_INTERFACES, name)) as stream:
            return "DEVTYPE=wireguard" in stream.read()
    except OSError:
        return False  # it has gone meanwhile

"""Whether fail2ban's new settings would ban where this very login comes from."""

from . import connections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from ..kinds import Target
    from ..kinds.file import Observed
    from . import Impact
    from .connections import Address

_SETTINGS = "/etc/fail2ban/jail"
_IGNORED = "ignoreip"


def of_file(want: "Dict[str, Any]", _observed: "Observed", _target: "Target") -> "List[Impact]":
    """Return this login, where settings of fail2ban do not leave its source alone."""
    if not want["path"].startswith(_SETTINGS) or _IGNORED not in want.get("content", ""):
        return []
    mine = connections.own_login()
    if mine is None or ignores(want["content"], mine.peer):
        return []
    text = "this login comes from {}, which fail2ban would ban after failed logins"
    return [("sessions", text.format(mine.peer))]


def ignores(settings: str, address: "Address") -> bool:
    """Return whether settings of fail2ban leave an address alone. Pure.

    A name among them counts for nothing: nobody knows whom it will stand for.
    """
    import ipaddress

    for line in settings.splitlines():
        name, _equals, told = line.partition("=")
        if name.strip() != _IGNORED:
            continue
        for word in told.split():
            try:
                network = ipaddress.ip_network(word, strict=False)
            except ValueError:
                continue
            if address in network:
                return True
    return False

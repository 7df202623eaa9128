"""Whether a host installs updates without being asked: apt's timer and unattended-upgrades."""

import re

from . import facts, systemd
from .host import Host, Unreadable
from .kinds import apt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

_PACKAGE = "unattended-upgrades"
_TIMER, _SERVICE = "apt-daily-upgrade.timer", "apt-daily-upgrade.service"
# It waits for the shutdown, and may install updates then.
_AT_SHUTDOWN = "unattended-upgrades.service"
# As apt.systemd.daily takes them: the first is a number that the shell compares with 0, 1 where it
# is not set; the second is compared with the word "0", which it is where it is not set.
_ENABLED, _ZERO = "apt::periodic::enable", re.compile(r"[+-]?0+")
_EVERY, _NEVER = "apt::periodic::unattended-upgrade", "0"
_ON_SHUTDOWN = "unattended-upgrade::installonshutdown"


def installs(host: Host) -> bool:
    """Return whether updates will be installed on this host without being asked for.

    Which ones, its own settings say. Raises Unreadable where apt or systemd does not answer.
    """
    if _PACKAGE not in facts.packages(host):
        return False
    told = apt.options(host)
    states = systemd.unit_states(host, [_TIMER, _SERVICE, _AT_SHUTDOWN])
    shutdown = apt.is_yes(told.get(_ON_SHUTDOWN, ""))
    if shutdown and states[_AT_SHUTDOWN].active == "active":
        return True
    off = _ZERO.fullmatch(told.get(_ENABLED, "1")) or told.get(_EVERY, _NEVER) == _NEVER
    masked = states[_SERVICE].load == "masked"
    return not off and not masked and states[_TIMER].active == "active"


def warning(names: "Sequence[str]", host: Host) -> "Sequence[str]":
    """Return, as a sentence or none, how packages that went back are kept from coming again."""
    if not names:
        return ()
    host.forget()
    free = set(names)
    try:
        if not installs(host):
            return ()
        free -= facts.held(host)
    except Unreadable:
        pass  # it may, for all that is known
    told = "unattended-upgrades may install again what went back, unless: apt-mark hold {}"
    return (told.format(" ".join(sorted(free))),) if free else ()

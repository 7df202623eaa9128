"""Whether a host installs updates without being asked: apt's timer and unattended-upgrades."""

from . import facts, systemd
from .host import Host
from .kinds import apt

_PACKAGE = "unattended-upgrades"
_TIMER = "apt-daily-upgrade.timer"
# apt.systemd.daily: either option at 0 keeps it from running; the second is 0 where nobody sets it.
_ENABLED = "apt::periodic::enable"
_EVERY = "apt::periodic::unattended-upgrade"
_OFF = ("", "0")


def installs(host: Host) -> bool:
    """Return whether updates will be installed on this host without being asked for.

    Raises Unreadable where apt or systemd does not answer.
    """
    if _PACKAGE not in facts.packages(host):
        return False
    told = apt.options(host)
    if told.get(_ENABLED, "1") in _OFF or told.get(_EVERY, "0") in _OFF:
        return False
    return systemd.unit_states(host, [_TIMER])[_TIMER].active == "active"

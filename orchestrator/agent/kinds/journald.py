"""``journald``: settings of systemd-journald, from its main file and all drop-ins."""

from ..host import Host
from ..keyed import NOT_SET, Value, version
from ..keyed.systemd import BOOLEAN, NUMBER, SIZE, TEXT, TIME, Service, boolean, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from ..keyed import Setting
    from ..keyed.systemd import Keys

PHASE = "logging"

_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", *"01234567")
# Debian's systemd forwards to syslog by itself; from 256 on it ships a drop-in that says so.
_FORWARDS_BEFORE = (256,)
# journald.conf(5): on the kernel's command line these win over every file.
_COMMAND_LINE = "/proc/cmdline"
_OPTIONS = {
    "ForwardToSyslog": "systemd.journald.forward_to_syslog",
    "ForwardToKMsg": "systemd.journald.forward_to_kmsg",
    "ForwardToConsole": "systemd.journald.forward_to_console",
    "ForwardToWall": "systemd.journald.forward_to_wall",
}
# journald.conf(5).
_KEYS: "Keys" = {
    "Storage": ("auto", ("auto", "volatile", "persistent", "none")),
    "Compress": ("yes", BOOLEAN),
    "Seal": ("yes", BOOLEAN),
    "SplitMode": ("uid", ("uid", "none")),
    "SyncIntervalSec": ("5min", TIME),
    "RateLimitIntervalSec": ("30s", TIME),
    "RateLimitBurst": ("10000", NUMBER),
    "SystemMaxUse": (NOT_SET, SIZE),
    "SystemKeepFree": (NOT_SET, SIZE),
    "SystemMaxFileSize": (NOT_SET, SIZE),
    "SystemMaxFiles": ("100", NUMBER),
    "RuntimeMaxUse": (NOT_SET, SIZE),
    "RuntimeKeepFree": (NOT_SET, SIZE),
    "RuntimeMaxFileSize": (NOT_SET, SIZE),
    "RuntimeMaxFiles": ("100", NUMBER),
    "MaxRetentionSec": ("0", TIME),
    "MaxFileSec": ("1month", TIME),
    "ForwardToSyslog": ("no", BOOLEAN),
    "ForwardToKMsg": ("no", BOOLEAN),
    "ForwardToConsole": ("no", BOOLEAN),
    "ForwardToWall": ("yes", BOOLEAN),
    "MaxLevelStore": ("debug", _LEVELS),
    "MaxLevelSyslog": ("debug", _LEVELS),
    "MaxLevelKMsg": ("notice", _LEVELS),
    "MaxLevelConsole": ("info", _LEVELS),
    "MaxLevelWall": ("emerg", _LEVELS),
    "ReadKMsg": ("yes", BOOLEAN),
    "Audit": ("yes", BOOLEAN),
    "TTYPath": ("/dev/console", TEXT),
    "LineMax": ("48K", SIZE),
}


class _Journald(Service):
    name = "journald"
    main = "/etc/systemd/journald.conf"
    dropin = "/etc/systemd/journald.conf.d/zz-luytre-{}.conf"
    section = "Journal"
    activates = ("restart systemd-journald.service",)
    keys = _KEYS

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return a value as journald reads it; Compress may also name the least size."""
        if key == "Compress" and (not value or size(value) is not None):
            return boolean(value) or "yes"
        return Service.read(self, key, value)

    def default(self, key: str, host: Host) -> str:
        """Return what journald takes where nothing is set."""
        if key == "ForwardToSyslog":
            return "yes" if version(host, "systemd") < _FORWARDS_BEFORE else "no"
        return Service.default(self, key, host)

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return the value that counts: the kernel's command line comes before the files."""
        option = _OPTIONS.get(key)
        if option:
            for word in reversed(
                (host.read(_COMMAND_LINE) or b"").decode("ascii", "replace").split()
            ):
                name, separator, value = word.partition("=")
                if name.replace("-", "_") == option:
                    told = boolean(value) if separator else "yes"
                    if told is not None:
                        return [Value(told, _COMMAND_LINE)]
        return Service.values(self, key, settings, host)


PROGRAM = _Journald()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

"""``timesyncd``: settings of systemd-timesyncd, from its main file and all drop-ins.

Servers that the network names come before those of the files (timesyncd.conf(5), NTP=): they count
as well, and only who looks after the network can take them away (UseNTP=no).
"""

from ..host import Host
from ..keyed import Setting, Value
from ..keyed.systemd import TIME, WORDS, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from ..keyed.systemd import Keys

PHASE = "services"
# sd-network's, which timesyncd asks: what systemd-networkd got for all links.
_NETWORK = "/run/systemd/netif/state"
# timesyncd.conf(5); the servers to fall back to are Debian's, compiled in.
_KEYS: "Keys" = {
    "NTP": ("", WORDS),
    "FallbackNTP": (
        "0.debian.pool.ntp.org 1.debian.pool.ntp.org 2.debian.pool.ntp.org 3.debian.pool.ntp.org",
        WORDS,
    ),
    "RootDistanceMaxSec": ("5s", TIME),
    "PollIntervalMinSec": ("32s", TIME),
    "PollIntervalMaxSec": ("2048s", TIME),
    "ConnectionRetrySec": ("30s", TIME),
    "SaveIntervalSec": ("60s", TIME),
}


class _Timesyncd(Service):
    name = "timesyncd"
    main = "/etc/systemd/timesyncd.conf"
    dropin = "/etc/systemd/timesyncd.conf.d/zz-luytre-{}.conf"
    section = "Time"
    activates = ("restart systemd-timesyncd.service",)
    keys = _KEYS

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return the value that counts; of servers, those of the network as well."""
        found = Service.values(self, key, settings, host)
        if key == "NTP":
            for line in (host.read(_NETWORK) or b"").decode("utf-8", "replace").splitlines():
                name, _, servers = line.partition("=")
                if name == "NTP" and servers.strip():
                    found.append(Value(" ".join(servers.split()), _NETWORK))
        return found


PROGRAM = _Timesyncd()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

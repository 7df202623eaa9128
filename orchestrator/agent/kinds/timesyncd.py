"""``timesyncd``: settings of systemd-timesyncd, from its main file and all drop-ins."""

from ..keyed.systemd import TIME, WORDS, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..keyed.systemd import Keys

PHASE = "services"
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


PROGRAM = _Timesyncd()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

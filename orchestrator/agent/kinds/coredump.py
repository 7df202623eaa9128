"""``coredump``: settings of systemd-coredump, which reads them for every crash anew."""

from ..keyed.systemd import BOOLEAN, SIZE, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..keyed.systemd import Keys

PHASE = "kernel"
# coredump.conf(5), for 64 bits.
_KEYS: "Keys" = {
    "Storage": ("external", ("none", "external", "journal")),
    "Compress": ("yes", BOOLEAN),
    "ProcessSizeMax": ("32G", SIZE),
    "ExternalSizeMax": ("32G", SIZE),
    "JournalSizeMax": ("767M", SIZE),
    "MaxUse": ("(10 % of the file system)", SIZE),
    "KeepFree": ("(15 % of the file system)", SIZE),
}


class _Coredump(Service):
    name = "coredump"
    main = "/etc/systemd/coredump.conf"
    dropin = "/etc/systemd/coredump.conf.d/zz-luytre-{}.conf"
    section = "Coredump"
    keys = _KEYS


PROGRAM = _Coredump()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

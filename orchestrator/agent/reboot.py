"""Reboot this host, unless a run of ours works on it."""

from . import plan, runs
from .host import Host, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# So that the answer is on its way before the network goes.
_DELAY = "--on-active=1s"


def reboot(host: Host) -> "Dict[str, Any]":
    """Let systemd reboot in a second; return the id of the boot that ends.

    Raises Refused where a run holds the host, or somebody works with its packages.
    """
    held = runs.holder()
    if held is not None:
        raise Refused("run {run} of {operator} holds this host".format(**held))
    busy = plan.lock_holder()
    if busy:
        raise Refused(busy)
    boot = (host.read("/proc/sys/kernel/random/boot_id") or b"").decode().strip()
    argv = ["/usr/bin/systemd-run", "--quiet", "--collect", _DELAY]
    argv += ["--timer-property=AccuracySec=100ms", "/usr/bin/systemctl", "reboot"]
    host.expect(argv)
    return {"boot": boot}

"""Reboot this host, unless a run of ours works on it."""

import os

from . import facts, in_use, packages, plan, runs
from .host import Host, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# So that the answer is on its way before the network goes.
_DELAY = "--on-active=1s"


def reboot(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Let systemd reboot in a second.

    Raises Refused where a run holds the host, somebody works with its packages or left them half
    way, where the kernel to boot has no initial RAM disk, and on the controller's own machine.
    """
    machine = (host.read("/etc/machine-id") or b"").decode("ascii", "replace").strip()
    if machine and machine == request["controller"]:
        raise Refused("this is the controller's own machine")
    held = runs.holder()
    if held is not None:
        raise Refused("run {run} of {operator} holds this host".format(**held))
    problem = plan.await_others(host) or packages.dpkg_problem(host) or _unbootable(host)
    if problem:
        raise Refused(problem)
    argv = ["/usr/bin/systemd-run", "--quiet", "--collect", _DELAY]
    argv += ["--timer-property=AccuracySec=100ms", "/usr/bin/systemctl", "reboot"]
    host.expect(argv)
    return {}


def _unbootable(host: Host) -> str:
    """Return why the newest kernel would not boot; empty where nothing is known against it."""
    newest = in_use.newest_kernel(facts.packages(host), os.uname().release)
    image, disk = "/boot/vmlinuz-" + newest, "/boot/initrd.img-" + newest
    if newest and os.path.exists(image) and not os.path.exists(disk):
        return "{} is missing".format(disk)
    return ""

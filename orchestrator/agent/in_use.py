"""What runs here although newer files are installed: services to restart, a kernel to boot."""

import os

from . import facts
from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Set

# Set by packages that need a reboot (needrestart, update-notifier and kernels' postinst hooks).
_REQUIRED = "/run/reboot-required"
# Programs and libraries lie here; what is deleted elsewhere was a temporary file.
_INSTALLED = ("/usr/", "/lib", "/bin/", "/sbin/", "/opt/")
_DELETED = " (deleted)"
# Restarting one of these ends every session, or systemd itself: a reboot does it.
_ONLY_BY_REBOOT = ("dbus.service", "dbus-broker.service", "systemd-logind.service", "init.scope")


def services(host: Host) -> "List[str]":
    """Return the services that use replaced files and that a restart brings up to date."""
    return sorted(unit for unit in _stale(host) if _restarts(unit))


def reboot_reason(host: Host) -> str:
    """Return why this host has to be rebooted; empty where it has not."""
    reasons = []
    newest = newest_kernel(facts.packages(host))
    running = os.uname().release
    if newest and newest != running and not facts.in_container():
        reasons.append("the kernel that runs is {}, the newest one {}".format(running, newest))
    if host.read(_REQUIRED) is not None:
        names = (host.read(_REQUIRED + ".pkgs") or b"").decode("utf-8", "replace").split()
        by_name = "a package asks for it (by {})".format(", ".join(sorted(set(names))))
        reasons.append(by_name if names else "a package asks for it")
    lasting = sorted(unit for unit in _stale(host) if unit in _ONLY_BY_REBOOT)
    if lasting:
        reasons.append("{} uses replaced files".format(", ".join(lasting)))
    return "; ".join(reasons)


def newest_kernel(packages: "Dict[str, str]") -> str:
    """Return the release of the newest kernel among packages, as ``uname -r`` will say it."""
    prefix = "linux-image-"
    releases = [name[len(prefix) :] for name in packages if name.startswith(prefix)]
    # A package named after its flavour alone (linux-image-amd64) only points to one of them.
    found = [each for each in releases if each[:1].isdigit() and not each.endswith("-unsigned")]
    return max(found, key=_numbers) if found else ""


def parse_maps(data: bytes) -> "Set[str]":
    """Return the installed files that a process has mapped to run and that are deleted."""
    found = set()
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].endswith(_DELETED):
            path = fields[5][: -len(_DELETED)]
            if path.startswith(_INSTALLED):
                found.add(path)
    return found


def parse_unit(cgroup: bytes) -> str:
    """Return the system unit of a process by its /proc/PID/cgroup; empty for users' sessions."""
    for line in cgroup.decode("utf-8", "replace").splitlines():
        path = line.rpartition(":")[2].split("/")
        # A container's own tree may begin deeper: its unit is the last one of the system's slice.
        if line.startswith(("0:", "1:name=systemd:")) and "user.slice" not in path:
            units = [part for part in path if part.endswith((".service", ".scope"))]
            return units[-1] if units else ""
    return ""


def _stale(host: Host) -> "Set[str]":
    """Return the units whose processes use files that were replaced since they started."""
    return host.once("stale-units", lambda: set(_units(os.listdir("/proc"))))  # type: ignore[no-any-return]


def _units(processes: "Iterable[str]") -> "Iterable[str]":
    own = str(os.getpid())
    for process in processes:
        if process.isdigit() and process != own and parse_maps(_proc(process, "maps")):
            unit = parse_unit(_proc(process, "cgroup"))
            if unit:
                yield unit


def _restarts(unit: str) -> bool:
    return unit.endswith(".service") and unit not in _ONLY_BY_REBOOT


def _proc(process: str, name: str) -> bytes:
    """Return a file of a process; nothing where the process has ended meanwhile."""
    try:
        with open("/proc/{}/{}".format(process, name), "rb") as stream:
            return stream.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _numbers(release: str) -> "List[int]":
    digits = "".join(c if c.isdigit() else " " for c in release)
    return [int(number) for number in digits.split()]

"""What runs here although newer files are installed: services to restart, a kernel to boot."""

import os

from . import facts, systemd
from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterable, List, Set, Tuple

# Set by packages that need a reboot (needrestart, update-notifier and kernels' postinst hooks).
_REQUIRED = "/run/reboot-required"
# Programs and libraries lie here; what is deleted elsewhere was a temporary file.
_INSTALLED = ("/usr/", "/lib", "/bin/", "/sbin/", "/opt/")
_DELETED = " (deleted)"
_KERNEL = "linux-image-"
# Restarting one of these cuts people or containers off, or ends systemd itself: a reboot does it.
_ONLY_BY_REBOOT = (
    *("dbus", "systemd-logind", "systemd-journald", "systemd-udevd", "init.scope", "user@"),
    *("networking", "ifup@", "NetworkManager", "systemd-networkd", "wpa_supplicant", "dhcpcd"),
    *("getty@", "serial-getty@", "console-getty", "display-manager", "gdm", "lightdm", "sddm"),
    *("docker", "containerd", "podman", "libvirtd", "virtqemud", "lxc", "lxd", "incus", "crio"),
    *("systemd-nspawn@", "openvpn", "wg-quick@", "strongswan", "ipsec", "emergency", "rescue"),
)
# These come to their end by themselves, and are up to date the next time.
_PASSING = ("apt-daily", "unattended-upgrades", "luytre-")


def services(host: Host) -> "List[str]":
    """Return the services that use replaced files and that a restart brings up to date.

    What is just being started or stopped, such as a backup that runs to its end, is left alone.
    """
    return _restartable(_stale(host), host)


def reboot_reason(host: Host) -> str:
    """Return why this host has to be rebooted; empty where it has not."""
    reasons = []
    running = os.uname().release
    newest = newest_kernel(facts.packages(host), running)
    if newest and newest != running and not facts.in_container():
        reasons.append("the kernel that runs is {}, the newest one {}".format(running, newest))
    if host.read(_REQUIRED) is not None:
        names = (host.read(_REQUIRED + ".pkgs") or b"").decode("utf-8", "replace").split()
        by_name = "a package asks for it (by {})".format(", ".join(sorted(set(names))))
        reasons.append(by_name if names else "a package asks for it")
    lasting = _lasting(_stale(host))
    if lasting:
        reasons.append("{} uses replaced files".format(", ".join(lasting)))
    return "; ".join(reasons)


def newest_kernel(packages: "Dict[str, str]", running: str) -> str:
    """Return the release of the newest kernel among packages, as ``uname -r`` will say it.

    Only those of the flavour that runs count: a kernel for clouds beside it boots nowhere.
    """
    releases = [kernel_release(name) for name in packages]
    found = [each for each in releases if each and _flavour(each) == _flavour(running)]
    return max(found, key=_numbers) if found else ""


def kernel_release(package: str) -> str:
    """Return the release of the kernel that a package holds, empty where it holds none.

    Others of such a name only depend on the newest.
    """
    release = package[len(_KERNEL) :] if package.startswith(_KERNEL) else ""
    return release if release[:1].isdigit() else ""


def _flavour(release: str) -> str:
    """Return what follows the numbers of a release: ``amd64`` of 6.1.0-28-amd64."""
    parts = release.split("-")
    return "-".join(part for part in parts if not part[:1].isdigit())


def parse_maps(data: bytes) -> "Set[str]":
    """Return the installed files that a process has mapped to run and that are deleted."""
    paths = mapped(data)
    return {path[: -len(_DELETED)] for path in paths if path.endswith(_DELETED)}


def mapped(data: bytes) -> "Set[str]":
    """Return the installed files that a process has mapped to run, marked where deleted."""
    found = set()
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].startswith(_INSTALLED):
            found.add(fields[5])
    return found


def users_of(files: "Set[str]", host: Host) -> "Tuple[List[str], List[str]]":
    """Return (services, others) that have one of these files mapped: a reboot renews the others.

    Services that come to their end by themselves are left out.
    """
    units = set(_units(os.listdir("/proc"), lambda maps: not files.isdisjoint(mapped(maps))))
    return _restartable(units, host), _lasting(units)


def _restartable(units: "Iterable[str]", host: Host) -> "List[str]":
    """Return the services that run and that a restart brings up to date."""
    found = [unit for unit in units if _restarts(unit)]
    states = systemd.unit_states(host, found) if found else {}
    return sorted(unit for unit in found if states[unit].active == "active")


def _lasting(units: "Iterable[str]") -> "List[str]":
    return sorted(unit for unit in units if unit.startswith(_ONLY_BY_REBOOT))


def parse_unit(cgroup: bytes, top: str = "") -> str:
    """Return the system unit of a process by its /proc/PID/cgroup; empty for users' sessions.

    ``top`` is where this system's own tree begins (of a container, say). A service may name what
    it makes below itself as it likes: the first unit counts.
    """
    for line in cgroup.decode("utf-8", "replace").splitlines():
        if not line.startswith(("0:", "1:name=systemd:")):
            continue
        path = line.split(":", 2)[2]
        parts = path[len(top) :].split("/") if path.startswith(top) else []
        units = [part for part in parts if part.endswith((".service", ".scope"))]
        return units[0] if units and "user.slice" not in parts else ""
    return ""


def _top() -> str:
    """Return where this system's tree begins: systemd itself lies in ``init.scope`` of it."""
    for line in _proc("1", "cgroup").decode("utf-8", "replace").splitlines():
        if line.startswith(("0:", "1:name=systemd:")):
            return line.split(":", 2)[2].rpartition("/init.scope")[0]
    return ""


def _stale(host: Host) -> "Set[str]":
    """Return the units whose processes use files that were replaced since they started."""
    return host.once("stale-units", lambda: set(_units(os.listdir("/proc"), parse_maps)))  # type: ignore[no-any-return]


def _units(processes: "Iterable[str]", fits: "Callable[[bytes], object]") -> "Iterable[str]":
    """Yield the units of those processes whose maps fit."""
    own, top, mine = str(os.getpid()), _top(), _namespace("self")
    for process in processes:
        # What runs in a container of this host is not its own.
        if not process.isdigit() or process == own or _namespace(process) != mine:
            continue
        if fits(_proc(process, "maps")):
            unit = parse_unit(_proc(process, "cgroup"), top)
            if unit:
                yield unit


def _namespace(process: str) -> str:
    try:
        return os.readlink("/proc/{}/ns/pid".format(process))
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _restarts(unit: str) -> bool:
    return unit.endswith(".service") and not unit.startswith((*_ONLY_BY_REBOOT, *_PASSING))


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

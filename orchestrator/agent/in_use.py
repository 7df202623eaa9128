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
# Debian's and Ubuntu's kernels, those of Proxmox; a signed and an unsigned one are the same.
_KERNELS = ("linux-image-unsigned-", "linux-image-", "proxmox-kernel-", "pve-kernel-")
_SIGNED = ("-unsigned", "-signed")
# What a kernel of Debian says before its package's version (uname -v).
_BUILT_OF = " Debian "
# Managers of users, and where systemd notes whose goes on without a login.
_OF_USER, _LINGERING = "user@", "/var/lib/systemd/linger"
# Restarting one of these cuts people or containers off, or ends systemd itself: a reboot does it.
_ONLY_BY_REBOOT = (
    *("dbus", "systemd-logind", "systemd-journald", "systemd-udevd", "init.scope", _OF_USER),
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
    if not facts.in_container():
        running = os.uname()
        reasons += kernel_reasons(facts.packages(host), running.release, running.version)
    if host.read(_REQUIRED) is not None:
        names = (host.read(_REQUIRED + ".pkgs") or b"").decode("utf-8", "replace").split()
        by_name = "a package asks for it (by {})".format(", ".join(sorted(set(names))))
        reasons.append(by_name if names else "a package asks for it")
    lasting = _lasting(_stale(host))
    if lasting:
        reasons.append("{} uses replaced files".format(", ".join(lasting)))
    return "; ".join(reasons)


def kernel_reasons(packages: "Dict[str, str]", release: str, version: str) -> "List[str]":
    """Return why the kernel that runs is not the one that would boot, by uname -r and uname -v.

    An update that keeps the kernel's name brings other files under the same release.
    """
    newest = newest_kernel(packages, release)
    if newest and newest != release:
        return ["the kernel that runs is {}, the newest one {}".format(release, newest)]
    built = version.partition(_BUILT_OF)[2].partition(" ")[0]
    there = {v for name, v in packages.items() if kernel_release(name) == release}
    if built and there and built not in there:
        told = (release, built, ", ".join(sorted(there)))
        return ["the kernel that runs is {} of {}, installed is {}".format(*told)]
    return []


def newest_kernel(packages: "Dict[str, str]", running: str) -> str:
    """Return the release of the newest kernel among packages, as ``uname -r`` will say it.

    Only those of the flavour that runs count: a kernel for clouds beside it boots nowhere.
    """
    releases = [kernel_release(name) for name in packages]
    found = [each for each in releases if each and _parted(each)[1] == _parted(running)[1]]
    return max(found, key=lambda each: _order(_parted(each)[0])) if found else ""


def kernel_release(package: str) -> str:
    """Return the release of the kernel that a package holds, empty where it holds none.

    Others of such a name only depend on the newest.
    """
    for head in _KERNELS:
        if package.startswith(head):
            release = package[len(head) :]
            for tail in _SIGNED:
                release = release[: -len(tail)] if release.endswith(tail) else release
            return release if release[:1].isdigit() else ""
    return ""


def _parted(release: str) -> "Tuple[str, str]":
    """Return the version and the flavour of a release: 6.1.0-28 and ``amd64``."""
    parts = release.split("-")
    numbers = [part for part in parts if part[:1].isdigit()]
    return "-".join(numbers), "-".join(parts[len(numbers) :])


def _order(version: str) -> "List[Tuple[List[int], int]]":
    """Return what versions are sorted by, as dpkg does (deb-version(7)).

    Words and numbers follow one another; a tilde comes before the end, letters before the rest.
    """
    found: "List[Tuple[List[int], int]]" = []
    word, number = "", ""
    for character in version + "x":
        if number and not character.isdigit():
            found.append(([*map(_weight, word), 0], int(number)))
            word, number = "", ""
        if character.isdigit():
            number += character
        else:
            word += character
    return [*found, ([*map(_weight, word[:-1]), 0], 0)]


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) + (0 if character.isalpha() else 256)


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

    What runs as a service of a user's belongs to that user's manager, ``user@UID.service``.
    ``top`` is where this system's own tree begins (of a container, say). A service may name what
    it makes below itself as it likes: the first unit counts.
    """
    for line in cgroup.decode("utf-8", "replace").splitlines():
        if not line.startswith(("0:", "1:name=systemd:")):
            continue
        path = line.split(":", 2)[2]
        parts = path[len(top) :].split("/") if path.startswith(top) else []
        units = [part for part in parts if part.endswith((".service", ".scope"))]
        if units and ("user.slice" not in parts or units[0].startswith(_OF_USER)):
            return units[0]
        return ""
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
            if unit and (not unit.startswith(_OF_USER) or _lingers(unit)):
                yield unit


def _lingers(unit: str) -> bool:
    """Return whether what a user's manager runs goes on when nobody is logged in (loginctl(1))."""
    import pwd

    try:
        name = pwd.getpwuid(int(unit[len(_OF_USER) :].partition(".")[0])).pw_name
    except (KeyError, ValueError):
        return False
    return os.path.exists(os.path.join(_LINGERING, name))


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

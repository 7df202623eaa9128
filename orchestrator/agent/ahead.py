"""What packages will bring along: services to restart, a reboot, the room that they take."""

import os

from . import facts, in_use
from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Set, Tuple

_FILES = "/var/lib/dpkg/info"
_CACHE = "/var/cache/apt/archives"
_PROGRAMS, _BOOT = "/usr", "/boot"
# What is left free beside, for logs and for what packages make when they are set up (bytes).
_SPARE = 64 << 20


def effects(coming: "Dict[str, str]", host: Host) -> "List[str]":
    """Return what people want to know of packages (name → version) before they say yes."""
    replaced = [name for name in coming if name in facts.packages(host)]
    services, others = in_use.users_of(_files(replaced, host), host) if replaced else ([], [])
    kernels = [] if facts.in_container() else filter(in_use.kernel_release, coming)
    told = []
    if services:
        told.append("services that use them now: {}".format(", ".join(services)))
    reasons = [*sorted(kernels), *others]
    if reasons:
        told.append("a reboot is needed afterwards for {}".format(", ".join(reasons)))
    return told


def _files(names: "Iterable[str]", host: Host) -> "Set[str]":
    """Return the files of installed packages, as a process shows them that has them mapped."""
    found: "Set[str]" = set()
    wanted = set(names)
    for entry in host.names(_FILES):
        # NAME:ARCHITECTURE.list where a host may have the package for several of them
        if entry.endswith(".list") and entry[: -len(".list")].partition(":")[0] in wanted:
            data = host.read(os.path.join(_FILES, entry)) or b""
            found.update(data.decode("utf-8", "surrogateescape").splitlines())
    # On Debian 12 lists still name /lib/…, which is /usr/lib/… by now.
    return found | {_PROGRAMS + path for path in found if not path.startswith(_PROGRAMS + "/")}


def shortages(coming: "Dict[str, str]", host: Host) -> "List[str]":
    """Return where there is not the room that the packages need: nothing may begin there."""
    if not coming:
        return []
    pinned = ["{}={}".format(name, coming[name]) for name in sorted(coming)]
    out = host.expect(["/usr/bin/apt-cache", "show", "--no-all-versions", *pinned])
    needed = needs(parse_sizes(out), parse_sizes(facts.dpkg_status(host)))
    if any(map(in_use.kernel_release, coming)):
        needed[_BOOT] = _of_running_kernel(host)
    return _missing(needed)


def needs(
    coming: "Dict[str, Tuple[int, int]]", present: "Dict[str, Tuple[int, int]]"
) -> "Dict[str, int]":
    """Return, by place, how many bytes packages take there, from their (file, installed) sizes.

    Beside each new package's file, the one that it replaces is kept, which is about as large. dpkg
    has a package's old and new files side by side, one package after the other.
    """
    if not coming:
        return {}
    grown = sum(size - present.get(name, (0, 0))[1] for name, (_, size) in coming.items())
    largest = max(size for _, size in coming.values())
    return {
        _CACHE: 2 * sum(file for file, _ in coming.values()),
        _PROGRAMS: max(grown, 0) + largest,
    }


def parse_sizes(data: bytes) -> "Dict[str, Tuple[int, int]]":
    """Return (package → bytes of its file, bytes installed) of paragraphs as apt and dpkg tell."""
    found = {}
    for lines in facts.paragraphs(data):
        name = facts.dpkg_field(lines, b"\nPackage: ").decode("ascii", "replace")
        file, installed = (
            facts.dpkg_field(lines, head) for head in (b"\nSize: ", b"\nInstalled-Size: ")
        )
        if name:
            # deb-control(5): the installed size is told in KiB.
            found[name] = (_number(file), _number(installed) << 10)
    return found


def _number(field: bytes) -> int:
    return int(field) if field.isdigit() else 0


def _of_running_kernel(host: Host) -> int:
    """Return what the kernel that runs takes in /boot: a newer one takes about as much."""
    tail = "-" + os.uname().release
    names = [name for name in host.names(_BOOT) if name.endswith(tail)]
    return sum(os.stat(os.path.join(_BOOT, name)).st_size for name in names)


def _missing(needed: "Dict[str, int]") -> "List[str]":
    """Return the file systems that have less room than is needed on them together."""
    together: "Dict[int, Tuple[str, int]]" = {}
    for place, size in needed.items():
        device = os.stat(place).st_dev
        first, before = together.get(device, (place, 0))
        together[device] = (first, before + size)
    found = []
    for place, size in together.values():
        stat = os.statvfs(place)
        free = stat.f_bavail * stat.f_frsize
        if free < size + _SPARE:
            told = (place, free >> 20, (size + _SPARE) >> 20)
            found.append("{} has {} MiB free, the updates need {}".format(*told))
    return found

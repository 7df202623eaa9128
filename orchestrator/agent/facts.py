"""Facts that several kinds share: installed packages, the system's name, the SSH configuration."""

import os

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Set

_DPKG_STATUS = "/var/lib/dpkg/status"
# dpkg(1), "Package states": of these, the files are there …
_PRESENT = (b"installed", b"triggers-pending", b"triggers-awaited", b"half-configured", b"unpacked")
# … and of these, an installation or a removal did not come to its end.
_UNFINISHED = (b"half-configured", b"half-installed", b"unpacked")


def packages(host: Host) -> "Dict[str, str]":
    """Return the packages that are there and their versions, from dpkg's own status file."""
    return host.once("packages", lambda: parse_dpkg_status(dpkg_status(host)))  # type: ignore[no-any-return]


def unfinished(host: Host) -> "Dict[str, str]":
    """Return name → state of the packages that dpkg left half way."""
    return host.once("unfinished", lambda: parse_unfinished(dpkg_status(host)))  # type: ignore[no-any-return]


def held(host: Host) -> "Set[str]":
    """Return the packages on hold: apt neither upgrades nor removes them."""
    return host.once("held", lambda: parse_held(dpkg_status(host)))  # type: ignore[no-any-return]


def parse_held(data: bytes) -> "Set[str]":
    """Return the names that dpkg's status file calls ``hold``."""
    if b"\nStatus: hold " not in b"\n" + data:
        return set()
    held_ones = (lines for lines in paragraphs(data) if b"\nStatus: hold " in lines)
    names = [dpkg_field(lines, b"\nPackage: ") for lines in held_ones]
    return {name.decode("ascii", "replace") for name in names}


def residue(host: Host) -> "Set[str]":
    """Return the packages that were removed, but not their configuration files."""
    return parse_residue(dpkg_status(host))


def parse_residue(data: bytes) -> "Set[str]":
    """Return the names of which dpkg's status file says ``config-files``."""
    found = set()
    for lines in paragraphs(data):
        if dpkg_field(lines, b"\nStatus: ").endswith(b" config-files"):
            found.add(dpkg_field(lines, b"\nPackage: ").decode("ascii", "replace"))
    return found


def dpkg_status(host: Host) -> bytes:
    """Return dpkg's own status file, read once."""

    def read() -> bytes:
        data = host.read(_DPKG_STATUS)
        if data is None:
            raise Unreadable("{}: missing".format(_DPKG_STATUS))
        return data

    return host.once("dpkg-status", read)  # type: ignore[no-any-return]


def parse_unfinished(data: bytes) -> "Dict[str, str]":
    """Return name → state of the packages that dpkg's status file calls neither one nor other."""
    if not any(b" " + state in data for state in _UNFINISHED):
        return {}
    found: "Dict[str, str]" = {}
    for lines in paragraphs(data):
        state = dpkg_field(lines, b"\nStatus: ").rpartition(b" ")[2]
        if state in _UNFINISHED:
            name = dpkg_field(lines, b"\nPackage: ")
            found[name.decode("ascii", "replace")] = state.decode()
    return found


def parse_dpkg_status(data: bytes) -> "Dict[str, str]":
    """Return name → version of the packages of which dpkg's status file says they are there.

    What is wanted of them (the first word) does not count: marked for removal is not removed.
    """
    found: "Dict[str, str]" = {}
    for lines in paragraphs(data):
        name = dpkg_field(lines, b"\nPackage: ")
        state = dpkg_field(lines, b"\nStatus: ").rpartition(b" ")[2]
        if name and state in _PRESENT:
            version = dpkg_field(lines, b"\nVersion: ")
            found[name.decode("ascii", "replace")] = version.decode("ascii", "replace")
    return found


def paragraphs(data: bytes) -> "Iterator[bytes]":
    """Yield what stands between empty lines, as dpkg and apt write it, for ``dpkg_field``."""
    for paragraph in data.split(b"\n\n"):
        yield b"\n" + paragraph + b"\n"


def dpkg_field(lines: bytes, head: bytes) -> bytes:
    """Return the value of a one-line field (``\\nName: ``) of a paragraph; empty without one."""
    start = lines.find(head)
    if start < 0:
        return b""
    start += len(head)
    return lines[start : lines.index(b"\n", start)]


def system(host: Host) -> str:
    """Return ID-VERSION_ID of os-release, such as ``debian-12``."""
    release = os_release(host)
    return "{}-{}".format(release.get("ID", "unknown"), release.get("VERSION_ID", ""))


def os_release(host: Host) -> "Dict[str, str]":
    """Return the fields of os-release."""

    def read() -> "Dict[str, str]":
        data = host.read("/etc/os-release")
        if data is None:
            raise Unreadable("/etc/os-release: missing")
        fields = {}
        for line in data.decode("utf-8", "replace").splitlines():
            key, separator, value = line.partition("=")
            if separator:
                fields[key.strip()] = value.strip().strip("\"'")
        return fields

    return host.once("os-release", read)  # type: ignore[no-any-return]


def in_container() -> bool:
    """Return whether systemd was told that it runs in a container."""
    return os.path.exists("/run/systemd/container")


def memory_mib(host: Host) -> int:
    """Return how much memory the host has, in MiB; raises Unreadable."""

    def read() -> int:
        for line in (host.read("/proc/meminfo") or b"").splitlines():
            if line.startswith(b"MemTotal:"):
                return int(line.split()[1]) // 1024
        raise Unreadable("/proc/meminfo: it does not tell how much memory there is")

    return host.once("memory", read)  # type: ignore[no-any-return]


def sshd_effective(host: Host) -> "Dict[str, str]":
    """Return what the SSH server would use now, by lower-case option name (``sshd -T``)."""

    def read() -> "Dict[str, str]":
        return parse_sshd(host.expect(["/usr/sbin/sshd", "-T"]))

    return host.once("sshd", read)  # type: ignore[no-any-return]


def parse_sshd(data: bytes) -> "Dict[str, str]":
    """Return ``sshd -T``'s lines as option → value; repeated options are joined by commas."""
    found: "Dict[str, str]" = {}
    for line in data.decode("utf-8", "replace").splitlines():
        option, _, value = line.strip().partition(" ")
        option = option.lower()
        if option:
            found[option] = found[option] + "," + value if option in found else value
    return found


def uid(name: str) -> int:
    """Return the number of a user; raises Unreadable where there is no such user."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Unreadable("there is no user {}".format(name)) from None


def gid(name: str) -> int:
    """Return the number of a group; raises Unreadable where there is no such group."""
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Unreadable("there is no group {}".format(name)) from None


def owner_names(user: int, group: int) -> "List[str]":
    """Return the names of a user and a group, or their numbers where they have none."""
    import grp
    import pwd

    try:
        owner = pwd.getpwuid(user).pw_name
    except KeyError:
        owner = str(user)
    try:
        owning_group = grp.getgrgid(group).gr_name
    except KeyError:
        owning_group = str(group)
    return [owner, owning_group]


def applicable(
    applies: "Dict[str, object]", host: Host, coming: "Optional[List[str]]" = None
) -> str:
    """Return why a control does not apply here, or an empty text where it does.

    ``coming`` names packages that the same plan installs: for it they count as present.
    """
    if applies.get("kept"):
        return "kept on this host ({})".format(applies["kept"])
    if "undeclared" in applies:
        return "{} is not declared".format(applies["undeclared"])
    package = applies.get("package")
    if package and package not in packages(host) and package not in (coming or ()):
        return "package {} is not installed".format(package)
    systems = applies.get("os")
    if systems and system(host) not in ([systems] if isinstance(systems, str) else list(systems)):  # type: ignore[call-overload]
        return "not for {}".format(system(host))
    if "container" in applies and bool(applies["container"]) is not in_container():
        return "only outside of containers" if in_container() else "only in containers"
    return _by_memory(applies, host)


def _by_memory(applies: "Dict[str, object]", host: Host) -> str:
    least, below = applies.get("memory_at_least_mib"), applies.get("memory_below_mib")
    if least is not None and memory_mib(host) < int(str(least)):
        return "less memory than {} MiB".format(least)
    if below is not None and memory_mib(host) >= int(str(below)):
        return "{} MiB of memory or more".format(below)
    return ""

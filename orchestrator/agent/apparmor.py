"""AppArmor on this host: what the kernel enforces, what is loaded at boot, who runs without it."""

import os

from . import facts
from .apparmor_text import (
    COMPLAIN,
    ENFORCE,
    UNCONFINED,
    Head,
    alternatives,
    heads,
    loaded,
    matches,
    resolved,
    variables,
)
from .host import Host, Unreadable
from .keyed import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, List, Optional

PLACE = "/etc/apparmor.d"
FORCED = PLACE + "/force-complain"
_DISABLED = PLACE + "/disable"
_ENABLED = "/sys/module/apparmor/parameters/enabled"
_PROFILES = "/sys/kernel/security/apparmor/profiles"
_TUNABLES = PLACE + "/tunables"
# apparmor_parser's lib.c, is_blacklisted: what packages and editors leave behind is passed over.
_LEFT_BEHIND = (
    *(".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-bak", ".dpkg-remove", ".pacsave", ".pacnew"),
    *(".rpmnew", ".rpmsave", ".orig", ".rej", "~"),
)
# Kernels before 5.8 have only the second: what the first security module says of a process.
_ATTRIBUTES = ("attr/apparmor/current", "attr/current")
# The modes in which a program without its profile would have been confined by it.
_HELD = (ENFORCE, COMPLAIN, "kill")


class File:
    """One file of profiles; ``packaged`` says that it is as its package brought it."""

    __slots__ = ("disabled", "forced", "heads", "packaged", "place")

    def __init__(self, place: str, found: "List[Head]") -> None:
        self.place = place
        self.heads = found
        self.disabled = False
        self.forced = False
        self.packaged = False


class Kernel:
    """What the kernel has: whether AppArmor works, and name → mode of its profiles.

    ``enabled`` is None where the kernel has no AppArmor at all.
    """

    __slots__ = ("enabled", "profiles")

    def __init__(self, enabled: "Optional[bool]") -> None:
        self.enabled = enabled
        self.profiles: "Dict[str, str]" = {}


def kernel(host: Host) -> "Optional[Kernel]":
    """Return what the kernel has; None in containers, which see nothing of it."""
    if facts.in_container():
        return None
    return host.once("apparmor-kernel", lambda: _kernel(host))  # type: ignore[no-any-return]


def profiles(host: Host) -> "Dict[str, str]":
    """Return name → mode of the profiles that the kernel has now.

    Raises Unreadable where AppArmor is on, but does not tell.
    """
    data = host.read(_PROFILES)
    if data is None:
        raise Unreadable("{}: missing".format(_PROFILES))
    return loaded(data.decode("utf-8", "surrogateescape"))


def files(host: Host) -> "List[File]":
    """Return the files that are loaded at boot, and those that would be, were they not disabled."""
    return host.once("apparmor-files", lambda: _files(host))  # type: ignore[no-any-return]


def _names(host: Host) -> "List[str]":
    """Return the names of the files of profiles, sorted."""
    try:
        with os.scandir(PLACE) as entries:
            found = [entry.name for entry in entries if not entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise Unreadable("{}: {}".format(PLACE, problem.strerror)) from None
    return sorted(name for name in found if _counts(name))


def text_of(host: Host, place: str) -> str:
    """Return the text of a file of profiles; of one that is gone, nothing."""
    return (content(host, place) or b"").decode("utf-8", "surrogateescape")


def bare(host: Host, known: "Dict[str, str]") -> "List[str]":
    """Return the programs that run unconfined although one of the loaded profiles is for them."""
    return without_confinement(_running(), _attachments(host, known))


def without_confinement(running: "Dict[str, bool]", patterns: "List[str]") -> "List[str]":
    """Return the programs for which there is a profile, and that run without one.

    ``running`` says of each program whether some process of it is unconfined.
    """
    plain = {one for pattern in patterns for one in alternatives(pattern)}
    # Most patterns end with a name: only those that may fit are tried.
    by_name: "Dict[str, List[str]]" = {}
    for pattern in plain:
        name = pattern.rpartition("/")[2]
        by_name.setdefault("*" if set(name) & set("*?[\\") else name, []).append(pattern)
    found = []
    for program, unconfined in running.items():
        near = by_name.get(program.rpartition("/")[2], []) + by_name.get("*", [])
        if unconfined and any(matches(pattern, program) for pattern in near):
            found.append(program)
    return sorted(found)


def _kernel(host: Host) -> Kernel:
    switch = host.read(_ENABLED)
    found = Kernel(None if switch is None else switch.strip() == b"Y")
    if found.enabled:
        found.profiles = profiles(host)
    return found


def _attachments(host: Host, known: "Dict[str, str]") -> "List[str]":
    """Return the patterns of the programs that profiles are for.

    A profile without a name of its own is named as its programs. Of the others the files tell: the
    kernel (Linux 6.1) does not.
    """
    held = {name for name, mode in known.items() if mode in _HELD and "//" not in name}
    patterns = [name for name in held if name.startswith("/")]
    for file in files(host):
        for head in file.heads:
            if head.name in held and head.attachment != head.name:
                patterns.append(_pattern(head.attachment, file, host))
    return [pattern for pattern in patterns if pattern]


def _pattern(attachment: str, file: File, host: Host) -> str:
    if "@{" not in attachment:
        return attachment
    known = variables("\n".join(_tunables(host)))
    known.update(variables(text_of(host, file.place)))
    return resolved(attachment, known)


def _tunables(host: Host) -> "List[str]":
    """Return the texts of the variables that all profiles share."""

    def read() -> "List[str]":
        places = ["{}/{}".format(_TUNABLES, name) for name in host.names(_TUNABLES)]
        return [text_of(host, place) for place in places if os.path.isfile(place)]

    return host.once("apparmor-tunables", read)  # type: ignore[no-any-return]


def _running() -> "Dict[str, bool]":
    """Return program → whether a process of it runs unconfined, of this host's own processes."""
    found: "Dict[str, bool]" = {}
    try:
        ours = os.readlink("/proc/self/ns/pid")
        attribute = next(each for each in _ATTRIBUTES if os.path.exists("/proc/self/" + each))
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError as problem:
        raise Unreadable("/proc: {}".format(problem.strerror)) from None
    for pid in pids:
        try:
            program = os.readlink("/proc/{}/exe".format(pid))
            if found.get(program):
                continue
            with open("/proc/{}/{}".format(pid, attribute), "rb") as stream:
                bare = stream.read().strip(b"\0\n ") == UNCONFINED.encode()
            # What runs in containers is their own affair.
            found[program] = bare and os.readlink("/proc/{}/ns/pid".format(pid)) == ours
        except OSError:
            continue  # a thread of the kernel, or it has ended meanwhile
    return found


def _files(host: Host) -> "List[File]":
    disabled, forced = _named(_DISABLED), _named(FORCED)
    sums: "Optional[Dict[str, str]]" = None
    found = []
    for name in _names(host):
        place = "{}/{}".format(PLACE, name)
        data = content(host, place) or b""
        file = File(place, heads(data.decode("utf-8", "surrogateescape")))
        file.disabled, file.forced = name in disabled, name in forced
        if any(head.mode == UNCONFINED for head in file.heads):
            sums = _sums(host) if sums is None else sums
            file.packaged = _md5(data) == sums.get(place)
        found.append(file)
    return found


def _named(directory: str) -> "FrozenSet[str]":
    """Return the names in a directory of links; what leads nowhere does not count (access(2))."""
    try:
        found = os.listdir(directory)
    except FileNotFoundError:
        return frozenset()
    except OSError as problem:
        raise Unreadable("{}: {}".format(directory, problem.strerror)) from None
    return frozenset(name for name in found if os.access(directory + "/" + name, os.R_OK))


def _counts(name: str) -> bool:
    return name[0] != "." and name != "README" and not name.endswith(_LEFT_BEHIND)


def _sums(host: Host) -> "Dict[str, str]":
    """Return place → MD5 of the files of profiles, as their packages brought them."""
    status = facts.dpkg_status(host)
    found: "Dict[str, str]" = {}
    head = b"\n " + PLACE.encode() + b"/"
    at = status.find(head)
    while at >= 0:
        words = status[at + 2 : status.find(b"\n", at + 1)].decode("utf-8", "replace").split()
        if len(words) == 2:  # an obsolete one has a third word
            found[words[0]] = words[1]
        at = status.find(head, at + 1)
    return found


def _md5(data: bytes) -> str:
    # dpkg's own sums. Built in; hashlib would cost an audit 20 ms.
    from _md5 import md5  # type: ignore[import-not-found]

    told: str = md5(data).hexdigest()
    return told

"""``mount``: a directory that is a file system of its own, and the options it is mounted with."""

import os

from .. import boot_mounts, mount_files, mounts
from ..host import Host, Unreadable
from ..resources import mount as mounted
from ..resources import unit as units
from . import ByHand, Judgement, Proposal, Target, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional

PHASE = "files"

_SHOWN_USERS = 5


class Observed:
    """How a directory is mounted now and at boot (None: it is not).

    ``own`` says that it is a file system of its own now, not a part of the one above it.
    """

    __slots__ = ("boot", "now", "own")

    def __init__(
        self,
        now: "Optional[mounts.Mount]",
        boot: "Optional[boot_mounts.Boot]",
        own: bool = True,
    ) -> None:
        self.now = now
        self.boot = None if boot is not None and boot.masked else boot
        self.own = now is not None and own


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return how the directory is mounted now, and how it will be at boot."""
    point = want["path"]
    now = mounts.at(host, point)
    own = now is not None and (
        now.type in mounts.MANY_DEVICES or now.device != mounts.above(host, point).device
    )
    return Observed(now, boot_mounts.at_boot(host, point), own)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether the mount is as wanted, now and at boot.

    Options do not apply to a directory that is no mount.
    """
    now, boot = observed.now, observed.boot
    parts = ["a file system of its own"] if want.get("own") else []
    expected = "{}: {}".format(want["path"], ", ".join(parts + want.get("options", [])))
    if now is None and boot is None and not want.get("own"):
        return Judgement("not_applicable", expected, "", "it is no file system of its own")
    passed = not want.get("own") or (observed.own and boot is not None)
    if now is not None:
        passed = passed and not _missing(want, now.flags)
    if boot is not None:
        passed = passed and not _missing(want, _boot_flags(boot))
    return Judgement.of(passed, expected, "{}: {}".format(want["path"], _seen(observed)))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the files to write and what is changed of the mount as it stands."""
    point = want["path"]
    resources, when = [], []
    if observed.now is None or _missing(want, observed.now.flags):
        resources.append("mount:" + point)
        when.append("now")
    edits = _edits(want, observed, target.host)
    for edit in edits:
        resources += edit.resources
    if edits:
        when.append("at boot ({})".format(edits[0].place))
    what = want.get("options") or ["a file system in memory"]
    return Proposal(
        "{}: {}: {}".format(point, ", ".join(what), ", ".join(when)),
        resources,
        ("daemon-reload",),
        "".join(unified(edit.place, edit.before, edit.after) for edit in edits if edit.after),
    )


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what takes a partition, and what somebody works with just now."""
    host, point = target.host, want["path"]
    observed = observe(want, host)
    winner = mount_files.later(point, host)
    if winner and observed.boot is not None and _missing(want, _boot_flags(observed.boot)):
        raise ByHand("{} comes after all others and sets the options".format(winner))
    if want.get("own") and not (observed.own and observed.boot is not None):
        _refuse_unless_possible(want, observed, host)


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the files and set the options of the mount; a new mount comes after confirm."""
    host, point = target.host, want["path"]
    observed = observe(want, host)
    for edit in _edits(want, observed, host):
        edit.carry_out(host)
    now = observed.now
    if now is not None and _missing(want, now.flags):
        options = mounts.with_flags(now.options, want["options"])
        mounted.set_options(point, options.split(","), host)


def persist(want: "Dict[str, Any]", target: Target) -> None:
    """Mount the new file system: what runs this change may have its own files below until now."""
    host, point = target.host, want["path"]
    if not want.get("own") or mounts.at(host, point) is not None:
        return
    users = _users(point)
    if users:
        told = "{} is in use ({}): it is mounted at the next boot".format(point, users[0])
        raise Unreadable(told)
    units.reload_manager(host)
    units.control(host, "start", boot_mounts.unit_name(point))


def _refuse_unless_possible(want: "Dict[str, Any]", observed: Observed, host: Host) -> None:
    """Raise ByHand where a directory cannot become a file system in memory now."""
    point = want["path"]
    if want.get("type") != "tmpfs":
        raise ByHand("{} needs a partition or a volume of its own".format(point))
    if observed.now is not None and not observed.own:
        raise ByHand("{} is a part of another file system: unmount it first".format(point))
    if observed.boot is None and boot_mounts.line_of(boot_mounts.fstab(host), point) is not None:
        raise ByHand("{} has a line for {} with noauto".format(boot_mounts.FSTAB, point))
    users = _users(point) if observed.now is None else []
    if users:
        told = ", ".join(users[:_SHOWN_USERS])
        raise ByHand("{} would be hidden under a new one, but is in use: {}".format(point, told))


def _edits(want: "Dict[str, Any]", observed: Observed, host: Host) -> "List[mount_files.Edit]":
    if observed.boot is None:
        if not want.get("own"):
            return []
        return mount_files.in_memory(want["path"], want.get("new_options", ()), host)
    if not _missing(want, _boot_flags(observed.boot)):
        return []
    return [mount_files.with_options(observed.boot, want["path"], want["options"], host)]


def _missing(want: "Dict[str, Any]", flags: "Iterable[str]") -> "List[str]":
    return [flag for flag in want.get("options", ()) if flag not in flags]


def _boot_flags(boot: boot_mounts.Boot) -> "Iterable[str]":
    return mounts.flags_of(boot.options.split(","))


def _seen(observed: Observed) -> str:
    now, boot = observed.now, observed.boot
    if now is None:
        seen = "not mounted now"
    else:
        flags = ", ".join(flag for flag in mounts.FLAGS if flag in now.flags)
        seen = "now {} ({})".format(flags or "without them", now.type)
        if not observed.own:
            seen += ", a part of the file system above it"
    if boot is None:
        return seen + "; not mounted at boot"
    flags = ", ".join(flag for flag in mounts.FLAGS if flag in _boot_flags(boot))
    return "{}; at boot {} ({})".format(seen, flags or "without them", boot.place or boot.origin)


def _users(point: str) -> "List[str]":
    """Return the processes that have something open below a directory, and the sockets there.

    Processes with mounts of their own see another directory there.
    """
    ours, found = os.stat("/proc/self/ns/mnt").st_ino, []
    for number in os.listdir("/proc"):
        if number.isdigit():
            try:
                if _uses(number, point, ours):
                    with open("/proc/{}/comm".format(number)) as stream:
                        found.append("{} {}".format(stream.read().strip(), number))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
    with open("/proc/net/unix", "rb") as stream:
        for line in stream.read().decode("utf-8", "replace").splitlines():
            path = line.rpartition(" ")[2]
            if path.startswith("/") and mounts.within(path, point):
                found.append(path)
    return found


def _uses(number: str, point: str, ours: int) -> bool:
    directory = "/proc/{}/".format(number)
    if os.stat(directory + "ns/mnt").st_ino != ours:
        return False
    links = [directory + "cwd", directory + "root"]
    links += [directory + "fd/" + name for name in os.listdir(directory + "fd")]
    for link in links:
        try:
            if mounts.within(os.readlink(link), point):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue  # closed since
    return False

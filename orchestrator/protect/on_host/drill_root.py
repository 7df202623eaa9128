"""The restored files laid over a host's own: what a restored service sees as its root.

Everything is an overlay whose upper side is in memory: whatever a service writes, neither the
restored files nor the host's own change.
"""

import os
import stat

from . import running
from .drill_places import DISK, Drilled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List

# What a service does not look for in other file systems of a host.
_LEFT_OUT = ("/boot", "/dev", "/proc", "/run", "/sys", "/tmp", DISK)
# What a service must not get hold of: systemd, D-Bus, other drills, people's sessions.
_OWN_RUN = ("systemd", "dbus", "luytre", "user", "netns", "lock", "udev", "credentials", "host")
# Without a device of its own, nothing of it is kept: proc, sysfs, tmpfs and others.
_MEMORY = "tmpfs"


def lay_over(drilled: Drilled) -> None:
    """Mount the root; raises ProgramError, OSError."""
    running.output(["mount", "-t", _MEMORY, "-o", "mode=0700", _MEMORY, drilled.above])
    for place in ("/", *_other_file_systems()):
        _overlay(drilled, place, [place])
    _make_run(drilled)
    for path in _restored(drilled, ""):
        if os.path.isdir(drilled.files + path):
            own = [path] if os.path.isdir(path) and not os.path.islink(path) else []
            os.makedirs(drilled.root + path, exist_ok=True)
            _overlay(drilled, path, [drilled.files + path, *own])
        else:
            with open(drilled.root + path, "ab"):
                running.output(["mount", "--bind", drilled.files + path, drilled.root + path])


def _make_run(drilled: Drilled) -> None:
    """Give the root a /run of its own, with the directories that packages made on this host."""
    own = os.path.join(drilled.above, "run")
    os.mkdir(own, mode=0o755)
    os.chmod(own, 0o755)
    for entry in os.scandir("/run"):
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(_OWN_RUN):
            seen = entry.stat(follow_symlinks=False)
            path = os.path.join(own, entry.name)
            os.mkdir(path)
            os.chown(path, seen.st_uid, seen.st_gid)
            os.chmod(path, stat.S_IMODE(seen.st_mode))
    running.output(["mount", "--bind", own, drilled.root + "/run"])


def take_off(drilled: Drilled) -> None:
    """Unmount what :func:`lay_over` mounted; done again, the same."""
    for place in (drilled.root, drilled.above):
        if os.path.ismount(place):
            try:
                running.output(["umount", "--recursive", place])
            except running.ProgramError:
                # Something still holds it; it is out of our way, and gone with whoever holds it.
                running.output(["umount", "--recursive", "--lazy", place])


def _overlay(drilled: Drilled, path: str, lower: "List[str]") -> None:
    number = str(len(os.listdir(drilled.above)))
    upper, work = (os.path.join(drilled.above, number, name) for name in ("written", "work"))
    os.makedirs(upper)
    os.makedirs(work)
    # An overlay looks like its upper side.
    shown = os.lstat(lower[0])
    os.chown(upper, shown.st_uid, shown.st_gid)
    os.chmod(upper, stat.S_IMODE(shown.st_mode))
    layers = "lowerdir={},upperdir={},workdir={}".format(":".join(lower), upper, work)
    place = os.path.normpath(drilled.root + path)
    running.output(["mount", "-t", "overlay", "-o", layers, "overlay", place])


def _restored(drilled: Drilled, path: str) -> "Iterator[str]":
    """Yield what to lay over: each restored path, as high up as it does not hold the drill itself.

    An overlay refuses a lower side that holds another one.
    """
    for name in sorted(os.listdir(drilled.files + path)):
        below = "{}/{}".format(path, name)
        # What is a link on this host would lead a mount astray.
        if os.path.islink(drilled.files + below) or os.path.islink(drilled.root + below):
            continue
        if (DISK + "/").startswith(below + "/"):
            yield from _restored(drilled, below)
        else:
            yield below


def _other_file_systems() -> "List[str]":
    """Return where this host's other file systems are mounted, higher ones first."""
    found = []
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            source, place = line.split()[:2]
            inside = any(place == one or place.startswith(one + "/") for one in _LEFT_OUT)
            # The kernel writes a blank as \040: such a place is no service's.
            if source.startswith("/dev/") and place != "/" and not inside and "\\" not in place:
                found.append(place)
    return sorted(place for place in found if os.path.isdir(place))

"""One walk over the local file systems, for every control that needs one.

It stays on file systems of this machine that keep owners and permissions, follows no link, and
leaves out what belongs to containers: their users are not ours, and only root gets there.
"""

import errno
import os
import stat
import sys
import time

from . import mounts
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, FrozenSet, Iterator, Optional, Set, Tuple

    Take = Callable[[str, os.stat_result, FrozenSet[str]], None]

SECONDS = 30.0
# Directories that wait for their turn; a name takes about 100 bytes.
_PENDING = 500000
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Python 3.6 reads directories by their paths only.
_BY_DESCRIPTOR = sys.version_info >= (3, 7)
# Of a directory that went, or became a file or a link.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
# How many directories are read between two looks at the clock and the controller.
_STRETCH = 256
# Images, layers and roots of containers and virtual machines, and what belongs to services whose
# users exist only while they run (systemd.exec(5), DynamicUser=): closed to everybody but root.
CONTAINERS = (
    "/snap",
    "/var/cache/private",
    "/var/lib/containerd",
    "/var/lib/containers/storage",
    "/var/lib/docker",
    "/var/lib/incus",
    "/var/lib/kubelet/pods",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/lib/machines",
    "/var/lib/portables",
    "/var/lib/private",
    "/var/lib/snapd/snap",
    "/var/log/private",
    "/var/snap/lxd/common/lxd",
)
# The runtimes' own mounts, and the files of logged-in users, in memory and closed to others.
_PASSING = ("/run/containerd", "/run/containers", "/run/docker", "/run/host", "/run/user")


class Interest:
    """What a walk looks for: permission bits, and whether owners are looked at.

    ``take`` gets what has one of the bits, or whose owner or group is not among ``users`` and
    ``groups``: its path, its status and the flags of its mount. It may add to both sets.
    ``skipped`` are directories that are not entered.
    """

    __slots__ = ("bits", "groups", "owners", "skipped", "take", "users")

    def __init__(
        self, bits: int, owners: bool, take: "Take", skipped: "FrozenSet[str]" = frozenset()
    ) -> None:
        self.bits = bits
        self.owners = owners
        self.take = take
        self.skipped = skipped
        self.users: "Set[int]" = set()
        self.groups: "Set[int]" = set()


def walk(host: Host, interest: Interest) -> None:
    """Look at every file and directory once.

    Raises Unreadable where it could not be finished: not within SECONDS, a directory that cannot
    be read, too many directories at once.
    """
    left_out = interest.skipped.union(CONTAINERS, _PASSING)
    visible = mounts.visible(host)
    closed = left_out.union(visible)
    deadline = time.monotonic() + SECONDS
    for mount in to_walk(visible, left_out):
        status = _status(mount.point)
        if status is None or not _is_of(mount, status):
            continue
        known = status.st_uid in interest.users and status.st_gid in interest.groups
        if status.st_mode & interest.bits or (interest.owners and not known):
            interest.take(mount.point, status, mount.flags)
        if stat.S_ISDIR(status.st_mode):
            device = -1 if mount.type in mounts.MANY_DEVICES else status.st_dev
            _descend(mount, (device, closed), interest, (host, deadline))


def to_walk(
    visible: "Dict[str, mounts.Mount]", left_out: "FrozenSet[str]"
) -> "Iterator[mounts.Mount]":
    """Yield the mounts to walk: local ones, and of several views of the same files one."""
    local = [
        mount
        for mount in visible.values()
        if mount.type in mounts.LOCAL
        and not any(mounts.within(mount.point, place) for place in left_out)
    ]
    for mount in local:
        if not any(_covers(other, mount, visible) for other in local):
            yield mount


def _covers(
    other: "mounts.Mount", mount: "mounts.Mount", visible: "Dict[str, mounts.Mount]"
) -> bool:
    """Return whether all files of a mount are seen in another one as well, as openly."""
    if other is mount or other.device != mount.device or not mounts.within(mount.root, other.root):
        return False
    if "nosuid" in other.flags and "nosuid" not in mount.flags:
        return False
    if other.root == mount.root and other.point > mount.point:
        return False  # of equal ones, one is walked
    rest = mount.root[len(other.root.rstrip("/")) :]
    place = other.point.rstrip("/") + rest
    # Another mount may hide the place; it may be this one itself.
    return not any(
        mounts.within(place, point) and len(point) > len(other.point) for point in visible
    )


def _descend(
    mount: "mounts.Mount",
    bounds: "Tuple[int, FrozenSet[str]]",
    interest: Interest,
    limits: "Tuple[Host, float]",
) -> None:
    """Look at everything on a mount.

    ``bounds`` are its device number (-1: any) and the paths not to be entered.
    """
    device, closed = bounds
    # Bound once: this loop is the whole cost of the walk.
    bits, owners, users, groups = interest.bits, interest.owners, interest.users, interest.groups
    is_directory, scan, take = stat.S_ISDIR, os.scandir, interest.take
    flags = mount.flags
    pending = [mount.point]
    rounds = 0
    while pending:
        directory = pending.pop()
        rounds += 1
        if rounds % _STRETCH == 0:
            _refuse_beyond(limits, len(pending))
        descriptor = _opened(directory)
        if descriptor < 0:
            continue
        within = directory.rstrip("/") + "/"
        try:
            # The kernel finds names in an open directory sooner than whole paths.
            for entry in scan(descriptor if _BY_DESCRIPTOR else directory):
                if entry.is_symlink():
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                mode = status.st_mode
                if mode & bits or (
                    owners and (status.st_uid not in users or status.st_gid not in groups)
                ):
                    take(within + entry.name, status, flags)
                if is_directory(mode) and device in (-1, status.st_dev):
                    path = within + entry.name
                    if path not in closed:
                        pending.append(path)
        finally:
            os.close(descriptor)


def _opened(directory: str) -> int:
    """Return the directory's descriptor, -1 where it is gone since its name was read."""
    try:
        return os.open(directory, _DIRECTORY)
    except OSError as problem:
        if problem.errno in _GONE:
            return -1
        raise Unreadable("{}: {}".format(directory, problem.strerror)) from None


def _refuse_beyond(limits: "Tuple[Host, float]", pending: int) -> None:
    host, deadline = limits
    host.pause(0)  # is the controller still there?
    if time.monotonic() > deadline:
        raise Unreadable("the walk over the file systems did not end within {:g} s".format(SECONDS))
    if pending > _PENDING:
        raise Unreadable("more than {} directories side by side: not walked".format(_PENDING))


def _status(path: str) -> "Optional[os.stat_result]":
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise Unreadable("{}: {}".format(path, problem.strerror)) from None


def _is_of(mount: "mounts.Mount", status: os.stat_result) -> bool:
    """Return whether what stands at a mount's point belongs to it, not to one that hides it."""
    if mount.type in mounts.MANY_DEVICES:
        return True
    device = "{}:{}".format(os.major(status.st_dev), os.minor(status.st_dev))
    return device == mount.device

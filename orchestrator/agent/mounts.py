"""What is mounted where: the kernel's own table, and what options of a mount mean."""

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterable, List, Optional

TABLE = "/proc/self/mountinfo"
FLAGS = ("nodev", "nosuid", "noexec")
# File systems of this machine that keep owners and permissions. Everything else is the kernel's
# own, on other machines, read-only images, or knows no owners.
LOCAL = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "nilfs2"))
LOCAL |= {"zfs", "bcachefs", "tmpfs", "overlay"}
# Their parts (subvolumes, data sets) have device numbers of their own without being mounted.
MANY_DEVICES = frozenset(("btrfs", "bcachefs", "zfs"))
# mount(8): these options set others along; one that follows may unset them again.
_IMPLIED = {
    "user": FLAGS,
    "users": FLAGS,
    "owner": ("nodev", "nosuid"),
    "group": ("nodev", "nosuid"),
}


class Mount:
    """One line of the table: ``root`` is the part of the file system that stands at ``point``.

    ``options`` are those of this mount, ``whole`` those of the whole file system.
    """

    __slots__ = ("device", "number", "options", "parent", "point", "root", "type", "whole")

    def __init__(self, line: str) -> None:
        fields = line.split(" ")
        tail = fields.index("-", 6)
        self.number, self.parent = fields[0], fields[1]
        self.device = fields[2]
        self.root = unescaped(fields[3])
        self.point = unescaped(fields[4])
        self.options = fields[5]
        self.type, _source, self.whole = fields[tail + 1 : tail + 4]

    @property
    def flags(self) -> "FrozenSet[str]":
        """Return what holds here, by this mount or by its whole file system."""
        return frozenset(self.options.split(",") + self.whole.split(","))


def table(host: Host) -> "List[Mount]":
    """Return every mount in the kernel's order, those that others hide included."""
    return host.once("mounts", lambda: parse(_read(host)))  # type: ignore[no-any-return]


def visible(host: Host) -> "Dict[str, Mount]":
    """Return by their point the mounts that a path leads to."""
    return host.once("visible-mounts", lambda: uncovered(table(host)))  # type: ignore[no-any-return]


def uncovered(mounts: "List[Mount]") -> "Dict[str, Mount]":
    """Return by their point the mounts that no other one hides.

    A path leads from a mount into what is mounted on it, the outermost first. A mount may lie below
    such a point, or another one upon itself: then nothing leads to it (a view of a shared tree has
    its mounts twice).
    """
    children: "Dict[str, Dict[str, Mount]]" = {}
    found: "Dict[str, Mount]" = {}
    numbers = {mount.number for mount in mounts}
    pending: "List[Mount]" = []
    for mount in mounts:
        if mount.parent in numbers and mount.parent != mount.number:
            children.setdefault(mount.parent, {})[mount.point] = mount
        else:
            pending.append(mount)
    while pending:
        mount = pending.pop()
        upon = children.pop(mount.number, {})
        if mount.point in upon:
            pending.append(upon[mount.point])
            continue
        found[mount.point] = mount
        pending.extend(child for point, child in upon.items() if not _below(point, upon))
    return found


def _below(point: str, upon: "Dict[str, Mount]") -> bool:
    """Return whether a point lies below one of the others that are mounted on the same mount."""
    while "/" in point.lstrip("/"):
        point = point.rpartition("/")[0]
        if point in upon:
            return True
    return False


def at(host: Host, point: str) -> "Optional[Mount]":
    """Return what is mounted at a directory, or None where nothing is."""
    return visible(host).get(point)


def above(host: Host, point: str) -> Mount:
    """Return the mount that a directory would belong to if it were none itself.

    Raises Unreadable where the table does not even know the root.
    """
    others = [m for m in visible(host).values() if m.point != point and within(point, m.point)]
    if not others:
        raise Unreadable("{}: nothing is mounted above {}".format(TABLE, point))
    return max(others, key=lambda mount: len(mount.point))


def parse(text: str) -> "List[Mount]":
    """Return the mounts of a text in the form of /proc/self/mountinfo (proc(5))."""
    try:
        return [Mount(line) for line in text.splitlines() if line]
    except (IndexError, ValueError):
        raise Unreadable("{}: not in the known form".format(TABLE)) from None


def flags_of(options: "Iterable[str]") -> "FrozenSet[str]":
    """Return which of FLAGS a list of mount options sets; of contradicting ones, the last holds."""
    found: "Dict[str, bool]" = {}
    for option in options:
        for flag in _IMPLIED.get(option.partition("=")[0], ()):
            found[flag] = True
        if option in FLAGS:
            found[option] = True
        elif "no" + option in FLAGS:
            found["no" + option] = False
    return frozenset(flag for flag, on in found.items() if on)


def with_flags(options: str, wanted: "Iterable[str]") -> str:
    """Return a comma-separated list of options to which the wanted flags were added.

    What contradicts them goes; ``defaults`` stays where it stands alone only.
    """
    against = {flag[2:] for flag in wanted}
    kept = [option for option in options.split(",") if option and option not in against]
    missing = [flag for flag in wanted if flag not in flags_of(kept)]
    return ",".join(kept + missing)


def unescaped(text: str) -> str:
    r"""Return a field of a table with its octal escapes (``\040`` for a blank) undone."""
    if "\\" not in text:
        return text
    pieces = text.split("\\")
    found = [pieces[0].encode("utf-8", "surrogateescape")]
    for piece in pieces[1:]:
        digits = piece[:3]
        if len(digits) == 3 and set(digits) <= set("01234567") and int(digits, 8) < 256:
            found.append(bytes((int(digits, 8),)) + piece[3:].encode("utf-8", "surrogateescape"))
        else:
            found.append(b"\\" + piece.encode("utf-8", "surrogateescape"))
    return b"".join(found).decode("utf-8", "surrogateescape")


def within(path: str, directory: str) -> bool:
    """Return whether a path is a directory itself or lies below it."""
    return directory in (path, "/") or path.startswith(directory + "/")


def _read(host: Host) -> str:
    data = host.read(TABLE)
    if data is None:
        raise Unreadable("{}: missing".format(TABLE))
    return data.decode("utf-8", "surrogateescape")

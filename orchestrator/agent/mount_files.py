"""The files that say how directories are mounted at boot, with options added to them."""

import os

from . import boot_mounts, mounts
from .boot_mounts import ETC, FSTAB, Boot
from .host import Host, Unreadable
from .resources import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List

# One for all controls: among drop-ins, the last Options= takes the place of all others.
DROP_IN = "zz-luytre.conf"
_DROP_IN_TEXT = """\
# Managed by luytre: nodev, nosuid and noexec are added to what was set before.
[Mount]
Options={}
"""
_FSTAB_LINE = "tmpfs {} tmpfs {} 0 0\n"
_CHECKED = "/run/luytre-fstab"
# As Debian's own tmp.mount has it.
_OPTIONS = "mode=1777,strictatime,nosuid,nodev,size=50%%,nr_inodes=1m"
_UNIT = """\
# Managed by luytre: temporary files are kept in memory.
[Unit]
ConditionPathIsSymbolicLink=!{point}
DefaultDependencies=no
Conflicts=umount.target
Before=local-fs.target umount.target
After=swap.target

[Mount]
What=tmpfs
Where={point}
Type=tmpfs
Options={options}
LazyUnmount=yes

[Install]
WantedBy=local-fs.target
"""


class Edit:
    """A file and its text before and after; ``target`` for one that becomes a link."""

    __slots__ = ("after", "before", "place", "target")

    def __init__(self, place: str, before: str, after: str, target: str = "") -> None:
        self.place = place
        self.before = before
        self.after = after
        self.target = target

    @property
    def resources(self) -> "List[str]":
        """Return what the journal must hold."""
        parents = path.missing_parents(self.place)
        return ["path:" + place for place in (*parents, self.place)]

    def carry_out(self, host: Host) -> None:
        """Write the file, which keeps its mode and owner, or make the link."""
        path.make_parents(self.place)
        if self.target:
            state = {"type": "link", "target": self.target, "uid": 0, "gid": 0}
            path.restore(self.place, state, b"", host)
            return
        if self.place == FSTAB:
            _check_fstab(self.after, host)
        if path.look(self.place)["type"] == "link":
            path.restore(self.place, path.ABSENT, b"", host)
        fresh = {"uid": 0, "gid": 0, "mode": 0o644}
        path.rewrite(self.place, self.after.encode("utf-8", "surrogateescape"), fresh)


def with_options(boot: Boot, point: str, wanted: "Iterable[str]", host: Host) -> Edit:
    """Return the file that gives a mount more options at boot: its text before and after."""
    options = mounts.with_flags(boot.options, wanted)
    if boot.origin == "unit":
        place = drop_in(point)
        return Edit(place, _text(host, place), _DROP_IN_TEXT.format(options))
    before = boot_mounts.fstab(host)
    line = boot_mounts.line_of(before, point)
    if line is None:
        end = "" if before.endswith("\n") or not before else "\n"
        return Edit(FSTAB, before, before + end + _FSTAB_LINE.format(point, options))
    return Edit(FSTAB, before, before[: line.begin] + options + before[line.end :])


def in_memory(point: str, wanted: "Iterable[str]", host: Host) -> "List[Edit]":
    """Return what makes a directory a file system in memory: the unit, and what starts it.

    Its options are Debian's and the ``wanted`` ones. A unit that is there (or a mask) is replaced.
    """
    name = boot_mounts.unit_name(point)
    place = "{}/{}".format(ETC, name)
    link = "{}/local-fs.target.wants/{}".format(ETC, name)
    before = "" if os.path.islink(place) else _text(host, place)
    options = mounts.with_flags(_OPTIONS, list(wanted))
    unit = Edit(place, before, _UNIT.format(point=point, options=options))
    return [unit, Edit(link, "", "", target=place)]


def drop_in(point: str) -> str:
    """Return where our options for a mount stand, unless fstab has them."""
    return "{}/{}.d/{}".format(ETC, boot_mounts.unit_name(point), DROP_IN)


def later(point: str, host: Host) -> str:
    """Return the drop-in that would win over ours; empty where there is none."""
    for place in boot_mounts.drop_ins(host, boot_mounts.unit_name(point)):
        options = boot_mounts.value(_text(host, place), "Mount", "Options")
        if place.rpartition("/")[2] > DROP_IN and options is not None:
            return place
    return ""


def _check_fstab(text: str, host: Host) -> None:
    """Raise Unreadable where findmnt cannot read a new fstab although it can read the present."""
    state: "Dict[str, Any]" = {"uid": 0, "gid": 0, "mode": 0o600}
    path.write(_CHECKED, text.encode("utf-8", "surrogateescape"), state)
    try:
        wrong = _parse_errors(_CHECKED, host)
    finally:
        path.restore(_CHECKED, path.ABSENT, b"", host)
    if wrong > _parse_errors(FSTAB, host):
        raise Unreadable("findmnt cannot read the new {}".format(FSTAB))


def _parse_errors(place: str, host: Host) -> int:
    """Return how many lines findmnt complains of; what it says after them may be cut off."""
    told = host.run(["/usr/bin/findmnt", "--verify", "--tab-file", place])
    return told.err.count(b"parse error at line")


def _text(host: Host, place: str) -> str:
    return (host.read(place) or b"").decode("utf-8", "surrogateescape")

"""What will be mounted at the next boot, and with which options: fstab, units, their drop-ins.

systemd.mount(5), systemd.unit(5), systemd-fstab-generator(8). What stands in /run is gone by then,
except for what generators write: they will write it again.
"""

import os

from . import mounts
from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

FSTAB = "/etc/fstab"
ETC = "/etc/systemd/system"
_VENDOR = ("/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_EARLY, _GENERATED, _LATE = (
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
)
_BEFORE_FSTAB = (_EARLY, ETC)
_AFTER_FSTAB = (_GENERATED, *_VENDOR, _LATE)
_LAYERS = (*_BEFORE_FSTAB, *_AFTER_FSTAB)
# What systemd itself mounts before any unit (its src/shared/mount-setup.c): a line in fstab has
# systemd-remount-fs(8) give it other options, units and drop-ins do not count.
EARLY_MOUNTS = {"/dev/shm": "nosuid,nodev,strictatime"}
_UNIT_BYTES = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")


class Line:
    """One entry of fstab; ``begin`` and ``end`` say where in the text its options stand."""

    __slots__ = ("begin", "end", "options", "point", "source", "type")

    def __init__(self, fields: "List[Tuple[str, int]]") -> None:
        self.source, self.point, self.type = (mounts.unescaped(text) for text, _ in fields[:3])
        self.point = self.point.rstrip("/") or "/"
        self.options, self.begin = fields[3]
        self.end = self.begin + len(self.options)


class Boot:
    """How a directory is mounted at boot: ``origin`` is fstab, unit or systemd; ``place`` a file.

    ``masked`` says that nothing is, because the unit is masked.
    """

    __slots__ = ("masked", "options", "origin", "place")

    def __init__(self, origin: str, place: str, options: str, masked: bool = False) -> None:
        self.origin = origin
        self.place = place
        self.options = options
        self.masked = masked


def at_boot(host: Host, point: str) -> "Optional[Boot]":
    """Return how a directory will be mounted at boot, or None where nothing says that it is."""
    line = line_of(fstab(host), point)
    if line is not None and "noauto" in line.options.split(","):
        line = None
    if point in EARLY_MOUNTS:
        if line is None:
            return Boot("systemd", "", EARLY_MOUNTS[point])
        return Boot("fstab", FSTAB, line.options)
    found = _declared(host, unit_name(point), line)
    if found is None or found.masked:
        return found
    for place in drop_ins(host, unit_name(point)):
        options = value(_text(host, place), "Mount", "Options")
        if options is not None:
            found = Boot("unit", place, options)
    return found


def fstab(host: Host) -> str:
    """Return the text of fstab; empty where there is none."""

    def read() -> str:
        return (host.read(FSTAB) or b"").decode("utf-8", "surrogateescape")

    return host.once("fstab", read)  # type: ignore[no-any-return]


def lines(text: str) -> "Iterator[Line]":
    """Yield the entries of a text in the form of fstab(5); lines without options are passed by."""
    start = 0
    for raw in text.split("\n"):
        fields = list(_fields(raw, start))
        start += len(raw) + 1
        if len(fields) > 3 and not fields[0][0].startswith("#"):
            yield Line(fields)


def line_of(text: str, point: str) -> "Optional[Line]":
    """Return the entry for a directory; of several, the first is the one that counts."""
    return next((line for line in lines(text) if line.point == point and line.type != "swap"), None)


def unit_name(point: str, suffix: str = ".mount") -> str:
    """Return the name of the unit for a mount point (systemd.unit(5), "String Escaping")."""
    found = []
    for index, character in enumerate(point.strip("/")):
        if character == "/":
            found.append("-")
        elif character in _UNIT_BYTES and (index or character != "."):
            found.append(character)
        else:
            data = character.encode("utf-8", "surrogateescape")
            found.extend("\\x{:02x}".format(byte) for byte in data)
    return ("".join(found) or "-") + suffix


def value(text: str, section: str, key: str) -> "Optional[str]":
    """Return what a unit file sets a key to: the last setting; None where it says nothing."""
    found, current = None, ""
    for line in _joined(text):
        if line.startswith("[") and line.endswith("]"):
            current = line[1:-1]
        elif current == section:
            name, separator, setting = line.partition("=")
            if separator and name.strip() == key:
                found = setting.strip()
    return found


def drop_ins(host: Host, name: str) -> "List[str]":
    """Return the drop-ins of a unit that are there at boot, in the order in which they count.

    A file hides those of the same name in later places; a link to /dev/null is none.
    """
    places: "Dict[str, str]" = {}
    for directory in reversed(_drop_in_directories(name)):
        # Other layers of /run are empty at boot.
        for layer in reversed((ETC, *_VENDOR)):
            for file in host.names("{}/{}".format(layer, directory)):
                if file.endswith(".conf"):
                    places[file] = "{}/{}/{}".format(layer, directory, file)
    return [places[file] for file in sorted(places) if not _is_void(places[file])]


def _declared(host: Host, name: str, line: "Optional[Line]") -> "Optional[Boot]":
    for layer in _LAYERS:
        if line is not None and layer == _AFTER_FSTAB[0]:
            return Boot("fstab", FSTAB, line.options)
        place = "{}/{}".format(layer, name)
        if not os.path.lexists(place):
            continue
        if _is_void(place):
            return Boot("unit", place, "", masked=True)
        text = _text(host, place)
        if value(text, "Unit", "SourcePath") == FSTAB:
            continue  # of a line that is gone since
        # A line in fstab has the unit started, too, when another file says what it is.
        if line is None and not _is_started(host, name):
            return None
        return Boot("unit", place, value(text, "Mount", "Options") or "")
    return None


def _is_started(host: Host, name: str) -> bool:
    """Return whether some unit pulls the mount in at boot, or its automount."""
    directories = host.once("unit-dependents", lambda: list(_dependents(host)))
    names = (name, name[: -len("mount")] + "automount")
    return any(os.path.lexists("{}/{}".format(place, n)) for place in directories for n in names)


def _dependents(host: Host) -> "Iterator[str]":
    for layer in _LAYERS:
        for name in host.names(layer):
            if name.endswith((".wants", ".requires", ".upholds")):
                yield "{}/{}".format(layer, name)


def _drop_in_directories(name: str) -> "List[str]":
    """Return the names of the directories of drop-ins, the unit's own first."""
    stem = name[: -len(".mount")]
    found = [name + ".d"]
    while "-" in stem.rstrip("-"):
        stem = stem.rstrip("-").rpartition("-")[0] + "-"
        found.append(stem + ".mount.d")
    return [*found, "mount.d"]


def _is_void(place: str) -> bool:
    try:
        return os.path.realpath(place) == os.devnull or os.stat(place).st_size == 0
    except OSError:
        return False  # reading it says why


def _text(host: Host, place: str) -> str:
    return (host.read(place) or b"").decode("utf-8", "replace")


def _joined(text: str) -> "Iterator[str]":
    """Yield the settings of a unit file: comments left out, continued lines joined."""
    held = ""
    for line in text.split("\n"):
        if line.lstrip()[:1] in ("#", ";"):
            continue
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        joined = (held + line).strip()
        held = ""
        if joined:
            yield joined
    if held.strip():
        yield held.strip()


def _fields(raw: str, start: int) -> "Iterator[Tuple[str, int]]":
    """Yield (text, place in the whole) of the fields of a line."""
    at = 0
    for text in raw.replace("\t", " ").split(" "):
        if text:
            yield text, start + at
        at += len(text) + 1

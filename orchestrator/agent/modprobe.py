"""What modprobe may load: modprobe.d as it counts, modules on disk, built in and loaded."""

import os

from .host import Host, Unreadable
from .patterns import name_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Iterator, List, Tuple

# modprobe.d(5): a file hides those of the same name in later directories.
DIRECTORIES = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
_COMMAND_LINE = "/proc/cmdline"
_LOADED = "/proc/modules"
_TREES = ("/lib/modules", "/usr/lib/modules")
# What does nothing when modprobe runs it in place of loading a module.
HARMLESS = ("/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true")
_EDGES = " \t\r"


class Configuration:
    """``install`` lines in the order in which they count, and who is on the blacklist.

    Both name the file for people: (pattern, command, file), module → file.
    """

    __slots__ = ("blacklist", "install")

    def __init__(self) -> None:
        self.install: "List[Tuple[str, str, str]]" = []
        self.blacklist: "Dict[str, str]" = {}

    def command(self, name: str) -> "Tuple[str, str]":
        """Return (command, file) that modprobe runs in place of loading; empty where none.

        The first line whose pattern stands for the module counts (kmod's libkmod-module.c).
        """
        for pattern, command, place in self.install:
            if _pattern_matches(pattern, name):
                return command, place
        return "", ""


def canonical(name: str) -> str:
    """Return a module's name as the kernel spells it: - and _ are the same letter."""
    return name.replace("-", "_")


def configuration(host: Host) -> Configuration:
    """Return modprobe's configuration as it counts now."""
    return host.once("modprobe.d", lambda: parse(_read(host)))  # type: ignore[no-any-return]


def parse(files: "Iterable[Tuple[str, str]]") -> Configuration:
    """Return what (file, text) pairs say, in the order in which modprobe reads them."""
    found = Configuration()
    for place, text in files:
        for line in _lines(text):
            verb, rest = _parted(line)
            name, command = _parted(rest)
            if verb == "install" and command:
                found.install.append((_spelled(name), command.strip(), place))
            elif verb == "blacklist" and name:
                found.blacklist.setdefault(canonical(name), place)
    return found


def loaded(host: Host) -> "Dict[str, str]":
    """Return loaded modules with who uses them (a number, then names), in the kernel's spelling.

    A kernel that was built without modules has none.
    """
    return host.once("modules", lambda: parse_loaded(_text(host, _LOADED)))  # type: ignore[no-any-return]


def parse_loaded(text: str) -> "Dict[str, str]":
    """Return name → use count and users of a text in the form of /proc/modules."""
    found = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 3:
            users = [user for user in fields[3].split(",") if user not in ("", "-")]
            found[canonical(fields[0])] = " ".join([fields[2], *users])
    return found


def places(name: str, host: Host) -> "Tuple[List[str], List[str]]":
    """Return the kernels on disk that have a module as a file, and those that have it built in."""
    files, built_in = [], []
    for kernel, listed, within in host.once("module-lists", lambda: list(_kernels(host))):
        if _lists(listed, name):
            files.append(kernel)
        if _lists(within, name):
            built_in.append(kernel)
    return files, built_in


def _kernels(host: Host) -> "Iterator[Tuple[str, bytes, bytes]]":
    """Yield (kernel, modules.dep, modules.builtin); depmod(8) writes them for modprobe."""
    seen = set()
    for tree in _TREES:
        for kernel in host.names(tree):
            directory = os.path.realpath("{}/{}".format(tree, kernel))
            if directory in seen or not os.path.isdir(directory):
                continue
            seen.add(directory)
            listed = host.read(directory + "/modules.dep")
            within = host.read(directory + "/modules.builtin")
            if listed is None and os.path.isdir(directory + "/kernel"):
                raise Unreadable("{}: modules.dep is missing (depmod)".format(directory))
            yield kernel, listed or b"", within or b""


def _lists(listed: bytes, name: str) -> bool:
    """Return whether a list of paths (``…/usb-storage.ko.xz:``) holds a module's file."""
    for spelled in {name, canonical(name), name.replace("_", "-")}:
        wanted = "/{}.ko".format(spelled).encode()
        at = listed.find(wanted)
        while at >= 0:
            # Not one that is only needed by another: those stand after the colon of their line.
            start = listed.rfind(b"\n", 0, at) + 1
            if b":" not in listed[start:at]:
                return True
            at = listed.find(wanted, at + 1)
    return False


def _read(host: Host) -> "Iterator[Tuple[str, str]]":
    found: "Dict[str, str]" = {}
    for directory in reversed(DIRECTORIES):
        for name in host.names(directory):
            if name.endswith(".conf") and not name.startswith("."):
                found[name] = "{}/{}".format(directory, name)
    for name in sorted(found):
        if os.path.realpath(found[name]) != os.devnull:
            yield found[name], _text(host, found[name])
    for word in _text(host, _COMMAND_LINE).split():
        key, _, names = word.partition("=")
        if key == "modprobe.blacklist":
            yield _COMMAND_LINE, "\n".join("blacklist " + name for name in names.split(","))


def _lines(text: str) -> "Iterator[str]":
    """Yield the commands: comments left out, lines that end in a backslash joined."""
    held = ""
    for line in text.split("\n"):
        if line.endswith("\\"):
            held += line[:-1]
            continue
        joined = (held + line).strip(_EDGES)
        held = ""
        if joined and not joined.startswith("#"):
            yield joined
    joined = held.strip(_EDGES)
    if joined and not joined.startswith("#"):
        yield joined


def _parted(line: str) -> "Tuple[str, str]":
    """Return the first word and the rest; only blanks and tabs part (kmod's libkmod-config.c).

    The re module would cost an audit 6 ms.
    """
    word, _, rest = line.replace("\t", " ").partition(" ")
    return word, rest.lstrip(" ")


def _spelled(pattern: str) -> str:
    """Return a pattern in the kernel's spelling; what stands in brackets is kept."""
    found, inside = [], False
    for character in pattern:
        inside = character == "[" or (inside and character != "]")
        found.append("_" if character == "-" and not inside else character)
    return "".join(found)


def _pattern_matches(pattern: str, name: str) -> bool:
    if not any(mark in pattern for mark in "?[\\"):
        return name_matches(pattern, canonical(name))
    from fnmatch import fnmatchcase  # 4 ms: nobody writes such patterns

    return fnmatchcase(canonical(name), pattern.replace("[^", "[!"))


def _text(host: Host, place: str) -> str:
    return (host.read(place) or b"").decode("utf-8", "replace")

"""sshd_config as OpenSSH reads it: words, includes wherever they point, Match blocks."""

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List, Optional, Set, Tuple

    Expand = Callable[[str], List[Tuple[str, str]]]

MAIN = "/etc/ssh/sshd_config"
_HOME = "/etc/ssh/"
# servconf.h of OpenSSH: how deep Include may go.
_DEPTH = 16
_SPECIAL = "*?["


class Block:
    """One Match block: ``label`` names its place, ``whom`` is the same for the same condition."""

    __slots__ = ("label", "whom")

    def __init__(self, label: str, whom: object) -> None:
        self.label = label
        self.whom = whom


EVERYONE = object()


class Line:
    """One line that counts: lower-case option, its words as text, the file, the Match block."""

    __slots__ = ("block", "option", "place", "value")

    def __init__(self, option: str, value: str, place: str, block: "Optional[Block]") -> None:
        self.option = option
        self.value = value
        self.place = place
        self.block = block


def directives(text: str) -> "List[Tuple[str, List[str]]]":
    """Return (lower-case keyword, words) of each line that is not a comment."""
    found = []
    for line in map(str.strip, text.split("\n")):
        if line and not line.startswith("#"):
            end = next((i for i, c in enumerate(line) if c in " \t="), len(line))
            rest = line[end:].strip()
            rest = rest[1:].strip() if rest.startswith("=") else rest
            found.append((line[:end].strip('"').lower(), words(rest)))
    return found


def words(rest: str) -> "List[str]":
    """Return the words of a line's rest: quotes of both sorts, escapes, a comment ends it.

    This is how OpenSSH splits since 8.7; older ones know double quotes alone.
    """
    found: "List[str]" = []
    word: "Optional[str]" = None
    quote = ""
    at = 0
    while at < len(rest):
        character, following = rest[at], rest[at + 1 : at + 2]
        if word is None and character == "#":
            break
        if not quote and character in " \t":
            found.extend([] if word is None else [word])
            word = None
        elif character == "\\" and following and (following in "'\"\\" or quote + following == " "):
            word = (word or "") + following
            at += 1
        elif character == quote or (not quote and character in "'\""):
            quote = "" if quote else character
            word = word or ""
        else:
            word = (word or "") + character
        at += 1
    return found if word is None else [*found, word]


def walk(
    text: str, place: str, expand: "Expand", block: "Optional[Block]" = None, depth: int = 0
) -> "Iterator[Line]":
    """Yield every line in the order in which the server takes it, included files in their place.

    ``expand`` returns (path, text) of the files that a pattern of Include stands for. Before a
    file's lines comes one with the option ``include`` and the file's path. What follows ``Match
    all`` is inside of a block as well: the server lets it win over what stands outside. Raises
    Unreadable where a file includes itself.
    """
    if depth > _DEPTH:
        raise Unreadable("{}: includes itself".format(place))
    around = block
    for option, given in directives(text):
        value = " ".join(given)
        if option == "match":
            same = EVERYONE if around is None else around.whom
            whom = same if value.lower() == "all" else object()
            block = Block("{}: Match {}".format(place, value), whom)
        elif option == "include":
            for path, content in [each for word in given for each in expand(_absolute(word))]:
                yield Line("include", path, place, block)
                inner = "{} > {}".format(place, path)
                yield from walk(content, inner, expand, block, depth + 1)
        else:
            yield Line(option, value, place, block)


def matched(lines: "Iterator[Line]") -> "List[Tuple[str, str, str]]":
    """Return (option, value, block's label) of what Match blocks set.

    The first value counts, within a block as well as after a block for everyone.
    """
    found = []
    taken: "Set[Tuple[str, object]]" = set()
    for line in lines:
        if line.block is None or line.option == "include":
            continue
        if taken.isdisjoint(((line.option, EVERYONE), (line.option, line.block.whom))):
            taken.add((line.option, line.block.whom))
            found.append((line.option, line.value, line.block.label))
    return found


def files(pattern: str, host: Host) -> "List[Tuple[str, str]]":
    """Return (path, text) of the files that a pattern stands for; directories hold nothing."""
    import os

    found = []
    for path in _paths(pattern, host):
        if not os.path.isdir(path):
            found.append((path, (host.read(path) or b"").decode("utf-8", "surrogateescape")))
    return found


def covers(pattern: str, path: str) -> bool:
    """Return whether a pattern of Include would find a file of this path."""
    from fnmatch import fnmatchcase

    parts, names = _portable(_absolute(pattern)).split("/"), path.split("/")
    # An asterisk of a path does not stand for a slash.
    return len(parts) == len(names) and all(map(fnmatchcase, names, parts))


def _paths(pattern: str, host: Host) -> "List[str]":
    directory, _, name = pattern.rpartition("/")
    if not any(mark in pattern for mark in _SPECIAL + "\\"):
        return [pattern]
    if any(mark in directory for mark in _SPECIAL + "\\") or name != "*.conf":
        from glob import glob  # 6 ms: only for patterns that Debian does not use

        return sorted(glob(_portable(pattern)))
    names = [each for each in host.names(directory) if each.endswith(".conf") and each[0] != "."]
    return ["{}/{}".format(directory, each) for each in names]


def _portable(pattern: str) -> str:
    """Return a pattern as Python's glob takes it: it knows no escapes.

    OpenSSH brings its own glob, from BSD, to which ``[^a]`` is no negation either.
    """
    found, at = "", 0
    while at < len(pattern):
        character, following = pattern[at], pattern[at + 1 : at + 2]
        if character == "\\" and following:
            found += "[{}]".format(following) if following in _SPECIAL else following
            at += 1
        else:
            found += character
        at += 1
    return found


def _absolute(place: str) -> str:
    return place if place.startswith("/") else _HOME + place

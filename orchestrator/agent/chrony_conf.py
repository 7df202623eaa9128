"""chrony.conf(5): the lines that chronyd reads, in its main file and all that it names."""

import os

from . import patterns
from .host import Host, Unreadable
from .keyed import content, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

MAIN = "/etc/chrony/chrony.conf"
SOURCES = ("server", "pool", "peer")
# conf.c, CNF_ReadFile: how deep files may name others.
_DEEPEST = 10
# util.c, UTI_NormaliseLine: CPS_NormalizeLine takes these at the start of a line as comments.
_COMMENTS = "!;#%"


class Line:
    """One directive: its name in lower case, its words, and where it stands."""

    __slots__ = ("name", "place", "span", "words")

    def __init__(self, text: str, place: str, span: "Tuple[int, int]") -> None:
        words = text.split()
        self.name = words[0].lower()
        self.words = words[1:]
        self.place = place
        self.span = span

    @property
    def server(self) -> str:
        """Return the name of a source of time."""
        return self.words[0].lower() if self.words else ""


def load(
    host: Host, known: "Optional[Dict[str, str]]" = None
) -> "Tuple[Dict[str, str], List[Line]]":
    """Return the texts by place, and the lines in the order of reading.

    ``known`` holds texts that are taken instead of the files (a change to come). Raises Unreadable
    where the main file is missing, or files name each other.
    """
    reader = _Reader(host, known or {})
    return reader.texts, list(reader.file(MAIN, 0))


class _Reader:
    """Reads files as they are named, each text once."""

    def __init__(self, host: Host, known: "Dict[str, str]") -> None:
        self.host = host
        self.known = known
        self.texts: "Dict[str, str]" = {}

    def file(self, place: str, depth: int) -> "Iterator[Line]":
        """Yield the lines of a file and of those that it names."""
        if depth > _DEEPEST:
            raise Unreadable("{}: includes itself".format(place))
        for line in self.parsed(place):
            if line.name == "include" and line.words:
                for found in self.matching(line.words[0]):
                    yield from self.file(found, depth + 1)
                continue
            yield line
            if line.name == "confdir":
                for found in self.directory(line.words, ".conf"):
                    yield from self.file(found, depth + 1)
            elif line.name == "sourcedir":
                for found in self.directory(line.words, ".sources"):
                    yield from self.sources(found)

    def sources(self, place: str) -> "Iterator[Line]":
        """Yield what counts of a file that a sourcedir holds: sources, up to where a line ends."""
        for line in self.parsed(place):
            if line.name in SOURCES and line.span[1] < len(self.texts[place]):
                yield line

    def parsed(self, place: str) -> "Iterator[Line]":
        """Yield a file's own lines."""
        text = self.known.get(place)
        if text is None:
            data = content(self.host, place)
            if data is None:
                raise Unreadable("{}: missing".format(place))
            text = data.decode("utf-8", "surrogateescape")
        self.texts[place] = text
        for line, span in lines(text):
            if line.strip() and line.lstrip()[0] not in _COMMENTS:
                yield Line(line, place, span)

    def directory(self, places: "List[str]", suffix: str) -> "List[str]":
        """Return the files of directories by their names; the first directory's file counts."""
        found: "Dict[str, str]" = {}
        for place in places:
            for name in self.names(place):
                if name.endswith(suffix):
                    found.setdefault(name, "{}/{}".format(place.rstrip("/"), name))
        return [found[name] for name in sorted(found)]

    def names(self, place: str) -> "List[str]":
        """Return the names in a directory, those to come included."""
        coming = [k for k in self.known if k.rpartition("/")[0] == place.rstrip("/")]
        return sorted({*self.host.names(place), *(k.rpartition("/")[2] for k in coming)})

    def matching(self, pattern: str) -> "List[str]":
        """Return the files that a pattern names, sorted.

        Raises Unreadable where the directory is missing: chronyd does not start then.
        """
        if "*" not in pattern:
            return [pattern]
        directory = pattern.rpartition("/")[0]
        names = self.names(directory)
        if not names and not os.path.isdir(directory):
            raise Unreadable("{}: missing".format(directory))
        places = ["{}/{}".format(directory, name) for name in names]
        return [place for place in places if patterns.matches(pattern, place)]

"""rsyslog's configuration: its statements in the order of reading, in the old and the new form."""

from . import patterns
from .host import Host, Unreadable
from .keyed import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

MAIN = "/etc/rsyslog.conf"
_DEEPEST = 10
_OBJECTS = (
    "action",
    "dyn_stats",
    "global",
    "include",
    "input",
    "lookup_table",
    "main_queue",
    "module",
    "parser",
    "ruleset",
    "template",
    "timezone",
)
_BLANK = " \t\r\n"
# rsyslog.conf(5), basic structure: facility.priority, and what every message meets.
_EVERYTHING = ("", "*.*")


class Statement:
    """One statement.

    ``name`` is ``$directive`` or the object's name, both in lower case, or ``selector`` for an old
    rule; ``value`` is the directive's argument or the rule's action, ``parameters`` are those of an
    object, with names in lower case. ``everything`` says that every message gets there.
    """

    __slots__ = ("everything", "name", "parameters", "place", "span", "value")

    def __init__(self, name: str, place: str, span: "Tuple[int, int]") -> None:
        self.name = name
        self.place = place
        self.span = span
        self.value = ""
        self.parameters: "Dict[str, str]" = {}
        self.everything = True


def load(
    host: Host, known: "Optional[Dict[str, str]]" = None
) -> "Tuple[Dict[str, str], List[Statement]]":
    """Return the texts by place and all statements; ``known`` holds texts that are to come.

    Raises Unreadable where a file is missing that must be there, or files name each other.
    """
    reader = _Reader(host, known or {})
    return reader.texts, list(reader.file(MAIN, 0))


class _Reader:
    def __init__(self, host: Host, known: "Dict[str, str]") -> None:
        self.host = host
        self.known = known
        self.texts: "Dict[str, str]" = {}

    def file(self, place: str, depth: int) -> "Iterator[Statement]":
        if depth > _DEEPEST:
            raise Unreadable("{}: includes itself".format(place))
        text = self.known.get(place)
        if text is None:
            data = content(self.host, place)
            if data is None:
                raise Unreadable("{}: missing".format(place))
            text = data.decode("utf-8", "surrogateescape")
        self.texts[place] = text
        for statement in parse(text, place):
            included = _included(statement)
            if included is None:
                yield statement
                continue
            optional = statement.parameters.get("mode") in ("optional", "abort-if-missing") or (
                "*" in included
            )
            for found in self.matching(included):
                if found in self.known or not optional or content(self.host, found) is not None:
                    yield from self.file(found, depth + 1)

    def matching(self, pattern: str) -> "List[str]":
        directory, _, last = pattern.rpartition("/")
        if not last:
            pattern = directory + "/*"
        elif "*" not in pattern:
            return [pattern]
        coming = {k.rpartition("/")[2] for k in self.known if k.rpartition("/")[0] == directory}
        names = sorted({*self.host.names(directory), *coming})
        places = ["{}/{}".format(directory, name) for name in names if name[0] != "."]
        return [place for place in places if patterns.matches(pattern, place)]


def _included(statement: Statement) -> "Optional[str]":
    if statement.name == "$includeconfig":
        return statement.value
    return statement.parameters.get("file") if statement.name == "include" else None


def parse(text: str, place: str) -> "Iterator[Statement]":
    """Yield the statements of one file; what is no statement of interest is passed over."""
    scan = _Scan(text)
    while True:
        start = scan.start()
        if start < 0:
            return
        if text[start] == "$":
            yield _directive(scan, start, place)
        else:
            yield from _rule(scan, start, place)


def _directive(scan: "_Scan", start: int, place: str) -> Statement:
    end = scan.line_end(start)
    words = scan.text[start:end].split("#")[0].split(None, 1)
    found = Statement(words[0].lower(), place, (start, end))
    found.value = words[1].strip().strip('"') if len(words) > 1 else ""
    scan.at = end
    return found


def _rule(scan: "_Scan", start: int, place: str) -> "Iterator[Statement]":
    """Yield an object, with what stands before it as its filter, or a rule of the old form."""
    name, opening = scan.object_ahead(start)
    if opening >= 0:
        begin = opening - len(name)
        closing = scan.closing(opening)
        found = Statement(name, place, (start, closing))
        found.parameters = scan.parameters(opening + 1, closing)
        before = " ".join(scan.text[start:begin].split()).strip("{} ")
        found.everything = before in _EVERYTHING and not scan.depth
        scan.depth = max(0, scan.depth + scan.braces(start, begin))
        scan.at = closing
        yield found
        return
    end = scan.line_end(start)
    line = scan.text[start:end]
    words = line.split(None, 1)
    scan.depth = max(0, scan.depth + scan.braces(start, end))
    scan.at = end
    if len(words) > 1 and words[1].lstrip("-")[:1] in ("/", "@"):
        found = Statement("selector", place, (start, end))
        found.value = words[1].split("#")[0].strip()
        found.everything = words[0] in _EVERYTHING and not scan.depth
        yield found


class _Scan:
    """A place in a text, and how deep in braces it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def start(self) -> int:
        """Return where the next statement begins, behind blanks and comments; -1 at the end."""
        text, at = self.text, self.at
        while at < len(text):
            if text[at] in _BLANK:
                at += 1
            elif text[at] == "#":
                at = self.line_end(at)
            elif text.startswith("/*", at):
                end = text.find("*/", at + 2)
                at = len(text) if end < 0 else end + 2
            elif text[at] in "{}":
                self.depth = max(0, self.depth + (1 if text[at] == "{" else -1))
                at += 1
            else:
                return at
        return -1

    def line_end(self, at: int) -> int:
        """Return where a line ends that a backslash may continue."""
        while True:
            end = self.text.find("\n", at)
            if end < 0:
                return len(self.text)
            if self.text[end - 1] != "\\" or end == at:
                return end
            at = end + 1

    def object_ahead(self, start: int) -> "Tuple[str, int]":
        """Return the name of an object in this line and where its parenthesis opens, or -1."""
        line = self.text[start : self.line_end(start)].lower()
        best = ("", -1)
        for name in _OBJECTS:
            at = line.find(name)
            before = line[at - 1 : at] if at > 0 else " "
            rest = line[at + len(name) :].lstrip() if at >= 0 else ""
            if at < 0 or not rest.startswith("(") or before not in " \t{":
                continue
            opening = start + line.index("(", at)
            if best[1] < 0 or opening < best[1]:
                best = (self.text[start + at : opening].lower(), opening)
        return (best[0].rstrip() and (best[0].rstrip(), best[1])) or ("", -1)

    def closing(self, opening: int) -> int:
        """Return where the parenthesis closes (quotes count), behind it."""
        quote = ""
        at = opening
        while at < len(self.text):
            mark = self.text[at]
            if quote:
                if mark == "\\":
                    at += 1
                elif mark == quote:
                    quote = ""
            elif mark in "\"'":
                quote = mark
            elif mark == ")":
                return at + 1
            at += 1
        return len(self.text)

    def parameters(self, start: int, end: int) -> "Dict[str, str]":
        """Return the parameters between two places: name="value"."""
        found: "Dict[str, str]" = {}
        at = start
        while True:
            equals = self.text.find("=", at, end)
            if equals < 0:
                return found
            words = self.text[at:equals].split()
            opening = equals + 1
            while opening < end and self.text[opening] in _BLANK:
                opening += 1
            mark = self.text[opening : opening + 1]
            closing = self.text.find(mark, opening + 1, end) if mark in ('"', "'") else -1
            if closing < 0:
                at = opening
                continue
            if words:
                found.setdefault(words[-1].lower(), self.text[opening + 1 : closing])
            at = closing + 1

    def braces(self, start: int, end: int) -> int:
        """Return how many more braces open than close between two places."""
        piece = self.text[start:end]
        return piece.count("{") - piece.count("}")

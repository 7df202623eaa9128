"""Settings of systemd's services: a main file, then drop-ins of four directories by their names."""

from ..host import Host
from . import STOP, Program, Setting, Value, dropins, lines, until_stop, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

    Keys = Mapping[str, Tuple[str, Union[str, Tuple[str, ...]]]]

# systemd.conf files, journald.conf(5): a drop-in in an earlier directory hides those of the same
# name in later ones.
DIRECTORIES = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
# NEWS of systemd 256: from then on the main file may stand in any of the directories.
_MAIN_ANYWHERE = (256,)
# systemd.syntax(7).
_TRUE = ("1", "yes", "y", "true", "t", "on")
_FALSE = ("0", "no", "n", "false", "f", "off")
_SIZES = {"": 1, "B": 1}
_SIZES.update({unit: 1024 ** (power + 1) for power, unit in enumerate("KMGTPE")})
# systemd.time(7), in microseconds.
_SECOND = 1000000
_TIMES = {
    unit: length
    for units, length in (
        ("us usec μs µs", 1),
        ("ms msec", 1000),
        (" s sec second seconds", _SECOND),
        ("m min minute minutes", 60 * _SECOND),
        ("h hr hour hours", 3600 * _SECOND),
        ("d day days", 86400 * _SECOND),
        ("w week weeks", 604800 * _SECOND),
        ("M month months", 2629800 * _SECOND),
        ("y year years", 31557600 * _SECOND),
    )
    for unit in units.split(" ")
}
_INFINITY = "infinity"
BOOLEAN, SIZE, TIME, NUMBER, WORDS, TEXT = "boolean", "size", "time", "number", "words", "text"


class Service(Program):
    """Settings of one service in one section.

    ``keys`` holds, by key, what is taken where nothing is set and how values are read: as one of
    the types above, or as one of the words that a tuple names. What cannot be read so, the service
    passes over.
    """

    section = ""
    keys: "Keys"

    def knows(self, key: str) -> bool:
        """Return whether the service has such a setting."""
        return key in self.keys

    def places(self, host: Host) -> "Iterable[str]":
        """Return the main file that is read, and the drop-ins that no other one hides."""
        anywhere = version(host, "systemd") >= _MAIN_ANYWHERE
        file = self.main.rpartition("/")[2]
        for directory in DIRECTORIES if anywhere else DIRECTORIES[:1]:
            if file in host.names(directory):
                yield "{}/{}".format(directory, file)
                break
        names: "Dict[str, str]" = {}
        for directory in DIRECTORIES:
            for place in dropins(host, "{}/{}.d".format(directory, file)):
                names.setdefault(place.rpartition("/")[2], place)
        yield from names.values()

    def order(self, places: "Iterable[str]") -> "List[str]":
        """Return the main file, then the drop-ins by their names, wherever they stand."""
        return sorted(places, key=lambda place: (".d/" in place, place.rpartition("/")[2]))

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings of the section; at a broken header or bad UTF-8 the reading stops."""
        found: "List[Setting]" = []
        inside = False
        for line, span in _logical(text):
            if not _is_unicode(line) or (line.startswith("[") and not line.endswith("]")):
                return [*found, Setting(STOP, line, place, span)]
            if line.startswith("["):
                inside = line[1:-1] == self.section
            elif inside:
                key, separator, value = line.partition("=")
                if separator and key.strip(_BLANK):
                    found.append(Setting(key.strip(_BLANK), value.strip(_BLANK), place, span))
        return found

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return yes or no, bytes, seconds, a word; None where the service takes no such value."""
        kind = self.keys[key][1]
        if isinstance(kind, tuple):
            return value if value in kind else None
        return _READERS[kind](value)

    def default(self, key: str, host: Host) -> str:
        """Return what the service takes where nothing is set."""
        value = self.keys[key][0]
        return self.read(key, value) or value

    def line(self, key: str, value: str) -> str:
        """Return the line that sets a value; a list is emptied first."""
        line = "{}={}".format(key, value)
        return "{}=\n{}".format(key, line) if self.keys[key][1] == WORDS else line

    def compose(self, wanted: "Dict[str, str]") -> str:
        """Return the text of a drop-in that sets these values."""
        return "[{}]\n{}".format(self.section, Program.compose(self, wanted))

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return the value that counts; the items of lists gather until an empty one.

        What empties a list last is what the default is due to.
        """
        if self.keys[key][1] != WORDS:
            return Program.values(self, key, settings, host)
        items: "List[str]" = []
        last = None
        for setting in until_stop(settings):
            if setting.key == key:
                words = setting.value.split()
                items = [*items, *(w for w in words if w not in items)] if words else []
                last = setting
        if last is None:
            return Program.values(self, key, [], host)
        if not items:
            return [Value(self.default(key, host), last.place, last)]
        gathered = Setting(key, " ".join(items), last.place, last.span)
        return [Value(gathered.value, last.place, gathered)]


def boolean(value: str) -> "Optional[str]":
    """Return yes or no, or None where the value is neither."""
    if value.lower() in _TRUE:
        return "yes"
    return "no" if value.lower() in _FALSE else None


def size(value: str) -> "Optional[str]":
    """Return a number of bytes in decimal, or None where the value is no size."""
    amount = _sum(value, _SIZES)
    return None if amount is None else str(amount)


def seconds(value: str) -> "Optional[str]":
    """Return a number of seconds in decimal (or infinity), or None where it is no time."""
    if value == _INFINITY:
        return value
    amount = _sum(value, _TIMES)
    return None if amount is None else str(amount // _SECOND)


_BLANK = " \t\n\r"
_READERS: "Dict[str, Callable[[str], Optional[str]]]" = {
    BOOLEAN: boolean,
    SIZE: size,
    TIME: seconds,
    NUMBER: lambda value: value if value and all(map(_is_digit, value)) else None,
    WORDS: lambda value: " ".join(value.split()),
    TEXT: lambda value: value,
}


def _logical(text: str) -> "Iterator[Tuple[str, Tuple[int, int]]]":
    """Yield each line that is no comment, joined where a backslash continues it."""
    held, begin = "", -1
    end = 0
    for line, span in lines(text):
        start = line.lstrip(_BLANK)
        if start[:1] in ("#", ";"):
            continue
        end = span[1]
        begin = span[0] if begin < 0 else begin
        escapes = len(line) - len(line.rstrip("\\"))
        if escapes % 2:
            held += line[:-1] + " "
            continue
        yield (held + line).strip(_BLANK), (begin, end)
        held, begin = "", -1
    if begin >= 0:
        yield held.strip(_BLANK), (begin, end)


def _sum(value: str, units: "Dict[str, int]") -> "Optional[int]":
    """Return the sum of amounts with their units (``1h 30min``), or None where it is none."""
    total, rest = 0, value.strip(_BLANK)
    if not rest:
        return None
    while rest:
        whole = _head(rest, _is_digit)
        rest = rest[len(whole) :]
        fraction = ""
        if rest.startswith("."):
            fraction = _head(rest[1:], _is_digit)
            rest = rest[1 + len(fraction) :]
        rest = rest.lstrip(_BLANK)
        unit = _head(rest, str.isalpha)
        rest = rest[len(unit) :].lstrip(_BLANK)
        if not whole or unit not in units:
            return None
        total += int(whole) * units[unit]
        if fraction:
            total += int(fraction) * units[unit] // 10 ** len(fraction)
    return total


def _head(text: str, accepted: "Callable[[str], bool]") -> str:
    """Return the longest beginning of a text whose characters are accepted."""
    end = next((i for i, character in enumerate(text) if not accepted(character)), len(text))
    return text[:end]


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _is_unicode(line: str) -> bool:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

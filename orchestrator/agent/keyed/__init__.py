"""Settings in files of keys and values: which value a program takes, and how to make it take ours.

A ``Program`` says where it reads, how a line is written and which line wins. Everything else is
the same for all of them: several lines may deviate (duplicates, later files, arguments), and what
we write counts only when none of them is left that wins over it.
"""

import os

from .. import conditions
from ..host import Host, Unreadable
from ..kinds import Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

    Texts = Dict[str, str]
    Loaded = Tuple[Texts, List["Setting"]]

# The key of a line at which the program stops reading.
STOP = ""
NOT_SET = "(not set)"
NOTHING = "(empty)"
DEFAULT = "default"


class Setting:
    """One setting as it is written: ``span`` is where it stands in the text of its file.

    ``about`` tells settings of one key apart that do not replace each other (of whom a limit is,
    in which line of PAM an argument stands).
    """

    __slots__ = ("about", "key", "place", "span", "value")

    def __init__(
        self, key: str, value: str, place: str, span: "Tuple[int, int]", about: str = ""
    ) -> None:
        self.key = key
        self.value = value
        self.place = place
        self.span = span
        self.about = about


class Value:
    """A value that the program takes, and from where; ``setting`` is None for a default."""

    __slots__ = ("place", "setting", "text")

    def __init__(self, text: str, place: str, setting: "Optional[Setting]" = None) -> None:
        self.text = text
        self.place = place
        self.setting = setting

    def told(self, key: str) -> str:
        """Return the value as text for people."""
        setting = self.setting
        if setting is None:
            return "{} {} ({})".format(key, self.text or NOTHING, self.place)
        written, place = shown(setting.value), self.place
        if written.lower() != self.text.lower() and setting.value:
            written += ", read as " + shown(self.text)
        if setting.about:
            place += ", " + setting.about
        return "{} {} ({})".format(key, written or self.text or NOTHING, place)


class Program:
    """How one program reads its settings; the kinds fill in what is particular.

    ``dropin`` is the place of our own file, with the slot for ``{}``; without one, ``main`` is
    edited in place. ``defaults`` holds what the program takes where nothing is set.
    """

    name = ""
    main = ""
    mode = 0o644
    dropin = ""
    activates: "Tuple[str, ...]" = ()
    defaults: "Mapping[str, str]"

    def places(self, host: Host) -> "Iterable[str]":
        """Return the files that may hold settings."""
        return (self.main,)

    def order(self, places: "Iterable[str]") -> "List[str]":
        """Return the places in the order in which the program reads them."""
        return list(places)

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings of one file in order, keys as ``canonical`` spells them."""
        raise NotImplementedError

    def canonical(self, key: str) -> str:
        """Return a key as it is compared."""
        return key

    def knows(self, key: str) -> bool:
        """Return whether the program has such a setting at all."""
        return key in self.defaults

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return what the program makes of a value, or None where it passes over the line."""
        return value

    def default(self, key: str, host: Host) -> str:
        """Return what the program takes where nothing is set."""
        return self.defaults.get(key, NOT_SET)

    def line(self, key: str, value: str) -> str:
        """Return the line that sets a value; an empty one where its absence does."""
        return "{} = {}".format(key, value)

    def compose(self, wanted: "Dict[str, str]") -> str:
        """Return the text of a drop-in that sets these values."""
        written = [self.line(key, value) for key, value in wanted.items()]
        return "".join(line + "\n" for line in written if line)

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return every value that counts for a key: of several readers, each one's."""
        chosen = None
        for setting in until_stop(settings):
            if setting.key == key:
                text = self.read(key, setting.value)
                if text is not None:
                    chosen = Value(text, setting.place, setting)
        return [chosen or Value(self.default(key, host), DEFAULT)]

    def withdraw(self, text: str, setting: Setting) -> str:
        """Return the text of a file without one of its settings."""
        return commented(text, setting.span)

    def meets(self, key: str, condition: "Any", value: Value) -> bool:
        """Return whether a value that counts is as wanted; wishes are read as the program does."""
        if not isinstance(condition, dict):
            return conditions.meets(self._same(key, condition), value.text)
        read = dict(condition)
        if "one_of" in condition:
            read["one_of"] = [self._same(key, one) for one in condition["one_of"]]
        return conditions.meets(read, value.text)

    def load(self, host: Host) -> "Loaded":
        """Return the texts by place, and their settings in the order of reading."""
        texts: "Texts" = {}
        for place in self.places(host):
            data = content(host, place)
            if data is not None:
                texts[place] = data.decode("utf-8", "surrogateescape")
        return texts, self.settings(texts)

    def settings(self, texts: "Texts") -> "List[Setting]":
        """Return the settings of all texts in the order of reading."""
        return [found for place in self.order(texts) for found in self.parse(texts[place], place)]

    def observe(self, want: "Dict[str, Any]", host: Host) -> "Dict[str, List[Value]]":
        """Return the values that count for each wanted key."""
        for key in want:
            if not self.knows(self.canonical(key)):
                raise Unreadable("{} knows no setting {}".format(self.name, key))
        loaded = host.once("keyed " + self.name, lambda: self.load(host))
        return {key: self.values(self.canonical(key), loaded[1], host) for key in want}

    def judge(self, want: "Dict[str, Any]", observed: "Dict[str, List[Value]]") -> Judgement:
        """Return whether every value that counts is as wanted."""
        wanted: "List[str]" = []
        seen: "List[str]" = []
        passed = True
        for key, condition in want.items():
            wanted.append("{} {}".format(key, conditions.describe(condition)))
            passed = passed and all(self.meets(key, condition, v) for v in observed[key])
            if observed[key]:
                seen.append(listed([value.told(key) for value in observed[key]]))
        return Judgement.of(passed, "; ".join(wanted), "; ".join(seen))

    def propose(
        self, want: "Dict[str, Any]", observed: "Dict[str, List[Value]]", target: Target
    ) -> Proposal:
        """Return the files to write and what would stand in them."""
        from . import change

        return change.propose(self, want, target)

    def validate(self, want: "Dict[str, Any]", target: Target) -> None:
        """Refuse where what we may write would not count."""
        from . import change

        change.validate(self, want, target)

    def converge(self, want: "Dict[str, Any]", target: Target) -> None:
        """Write what makes the wanted values count."""
        from . import change

        change.converge(self, want, target)

    def where(self, place: str) -> str:
        """Return the file to write: behind a link, unless what is there is not for us to change."""
        real = os.path.realpath(place)
        return real if changeable(real) and os.path.isfile(real) else place

    def _same(self, key: str, wanted: "Any") -> str:
        text = conditions.plain(wanted)
        read = self.read(self.canonical(key), text)
        return text if read is None else read


def until_stop(settings: "Iterable[Setting]") -> "Iterator[Setting]":
    """Yield the settings up to the line at which the program stops reading."""
    for setting in settings:
        if setting.key == STOP:
            return
        yield setting


def changeable(place: str) -> bool:
    """Return whether a file is an administrator's; what packages bring is not for us to change."""
    return place.startswith(("/etc/", "/run/", "/usr/local/"))


def content(host: Host, place: str) -> "Optional[bytes]":
    """Return a file's content, or None where there is none; a link to /dev/null is empty."""
    try:
        return host.read(place)
    except Unreadable:
        if os.path.realpath(place) == os.devnull:
            return b""
        raise


def dropins(host: Host, directory: str) -> "List[str]":
    """Return the places of a directory's files that end in .conf and are not hidden, sorted."""
    names = [name for name in host.names(directory) if name.endswith(".conf") and name[0] != "."]
    return ["{}/{}".format(directory, name) for name in names]


def lines(text: str) -> "Iterator[Tuple[str, Tuple[int, int]]]":
    """Yield each line without its end, and where it stands."""
    start = 0
    for line in text.split("\n"):
        yield line, (start, start + len(line))
        start += len(line) + 1


def commented(text: str, span: "Tuple[int, int]") -> str:
    """Return the text with every line of a span made a comment."""
    start, end = span
    return text[:start] + "# " + text[start:end].replace("\n", "\n# ") + text[end:]


def is_number(text: str) -> bool:
    """Return whether a text is a whole number in plain ASCII, with or without a sign."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    return bool(digits) and all("0" <= digit <= "9" for digit in digits)


def c_number(text: str) -> "Optional[str]":
    """Return in decimal a number written as in C (``0x1f``, ``017``), or None where it is none."""
    text = text.lstrip()
    digits = text[1:] if text[:1] in ("+", "-") else text
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[:1] == "0" else 10
    accepted = "0123456789abcdefABCDEF" if base == 16 else "0123456789"[:base]
    written = digits[2:] if base == 16 else digits
    if not written or any(mark not in accepted for mark in written):
        return None
    value = int(written, base)
    return str(-value if text[:1] == "-" else value)


def shown(text: str) -> str:
    """Return a text whose bytes that are no UTF-8 are made visible."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def version(host: Host, package: str) -> "Tuple[int, ...]":
    """Return the numbers of a package's upstream version (``252.39-1`` is 252, 39)."""
    from ..facts import packages

    full = packages(host).get(package, "")
    upstream = (full.partition(":")[2] or full).partition("-")[0]
    for mark in "~+":
        upstream = upstream.partition(mark)[0]
    return tuple(int(part) for part in upstream.split(".") if is_number(part))

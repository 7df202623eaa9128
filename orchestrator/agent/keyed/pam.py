"""Settings that PAM modules read from a file, unless an argument in PAM says otherwise."""

from ..host import Host, Unreadable
from . import Program, Setting, Value, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Iterator, List, Optional, Tuple

    Word = Tuple[str, Tuple[int, int]]

# pam.d(5): a service's file in /etc hides the one that a package brought.
DIRECTORIES = ("/etc/pam.d", "/usr/lib/pam.d")
# What package tools and editors leave beside a file is no service.
_LEFTOVERS = ("~", ".bak", ".old", ".orig", ".save", ".pam-old")
_LEFTOVER_MARKS = (".dpkg-", ".ucf-")
# The argument that names another configuration file.
_FILE = "conf"
YES, NO = "yes", "no"


class ModuleProgram(Program):
    """Settings of one PAM module; ``flags`` are those that their mere presence switches on."""

    module = ""
    flags: "Tuple[str, ...]" = ()

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings of a configuration file, or the module's arguments in one of PAM."""
        if place.startswith(DIRECTORIES):
            return list(self._arguments(text, place))
        return self.parse_file(text, place)

    def parse_file(self, text: str, place: str) -> "List[Setting]":
        """Return the settings of one of the module's own files."""
        raise NotImplementedError

    def own(self, host: Host) -> "Iterable[str]":
        """Return the module's own files."""
        return (self.main,)

    def places(self, host: Host) -> "Iterable[str]":
        """Return the module's own files, and those of PAM that name the module."""
        return [*self.own(host), *naming(self.module, host)]

    def order(self, places: "Iterable[str]") -> "List[str]":
        """Return the own files as the module reads them, then those of PAM."""
        of_pam = sorted(place for place in places if place.startswith(DIRECTORIES))
        return [*self.order_own([p for p in places if p not in of_pam]), *of_pam]

    def order_own(self, places: "List[str]") -> "List[str]":
        """Return the module's own files in the order in which it reads them."""
        return places

    def of_file(self, key: str, settings: "List[Setting]", host: Host) -> Value:
        """Return the value that the own files give."""
        return Program.values(self, key, settings, host)[0]

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return what each line of PAM makes of a key: its argument, or else the files' value."""
        value = self.of_file(key, [s for s in settings if not s.about], host)
        of_lines: "Dict[Tuple[str, str], Optional[Value]]" = {}
        for setting in settings:
            if setting.key == _FILE and setting.about:
                told = "{}, {}: reads {}".format(setting.place, setting.about, setting.value)
                raise Unreadable(told + " instead of " + self.main)
            if setting.about:
                line = (setting.place, setting.about)
                of_lines.setdefault(line, None)
                text = self.read(key, setting.value) if setting.key == key else None
                if text is not None:
                    of_lines[line] = Value(text, setting.place, setting)
        found = [argument for argument in of_lines.values() if argument is not None]
        return found if found and len(found) == len(of_lines) else [value, *found]

    def line(self, key: str, value: str) -> str:
        """Return the line that sets a value; a flag is switched on by its name alone."""
        if self.canonical(key) in self.flags:
            return self.canonical(key) if value == YES else ""
        return "{} = {}".format(key, value)

    def withdraw(self, text: str, setting: Setting) -> str:
        """Return the text of a file without a setting; an argument is cut out of its line."""
        if not setting.about:
            return Program.withdraw(self, text, setting)
        start, end = setting.span
        return text[:start].rstrip(" \t") + text[end:]

    def _arguments(self, text: str, place: str) -> "Iterator[Setting]":
        for words in entries(text):
            names = [index for index, (word, _) in enumerate(words) if self._is_ours(word)]
            if not names:
                continue
            module = words[names[0]][1]
            about = "line {}".format(text.count("\n", 0, module[0]) + 1)
            # Tells that there is such a line, whatever its arguments.
            yield Setting("-", "", place, module, about)
            for word, span in words[names[0] + 1 :]:
                key, separator, value = word.strip("[]").partition("=")
                named = self.canonical(key)
                flag = named in self.flags
                if flag or separator:
                    yield Setting(named, YES if flag else value, place, span, about)

    def _is_ours(self, word: str) -> bool:
        return word.rpartition("/")[2] == self.module + ".so"


def entries(text: str) -> "Iterator[List[Word]]":
    """Yield the words of each rule in one of PAM's files, and where they stand.

    A line that ends in a backslash goes on in the next one; brackets hold blanks (pam.d(5)).
    """
    words: "List[Word]" = []
    start = 0
    for line in text.split("\n"):
        body = line.partition("#")[0].rstrip()
        goes_on = body.endswith("\\")
        words += _words(body[:-1] if goes_on else body, start)
        start += len(line) + 1
        if not goes_on:
            yield words
            words = []
    if words:
        yield words


def pair(line: str) -> "Tuple[str, str]":
    """Return key and value of a line: blanks or one equals sign apart; after ``#`` is a comment."""
    words = line.partition("#")[0].strip()
    end = next((i for i, mark in enumerate(words) if mark.isspace() or mark == "="), len(words))
    value = words[end:].lstrip()
    return words[:end], value[1:].lstrip() if value.startswith("=") else value


def leading(value: str, modulus: int) -> "Optional[str]":
    """Return the number that a text begins with, as C's scanf reads it into unsigned bits."""
    text = value.lstrip()
    sign = text[:1] if text[:1] in ("+", "-") else ""
    digits = text[len(sign) :]
    end = next((i for i, mark in enumerate(digits) if not "0" <= mark <= "9"), len(digits))
    return str(int(sign + digits[:end]) % modulus) if end else None


def naming(module: str, host: Host) -> "List[str]":
    """Return the files of PAM that name a module."""
    return [place for place, text in services(host).items() if module + ".so" in text]


def services(host: Host) -> "Dict[str, str]":
    """Return the texts of PAM's files by place; what /etc hides is left out."""
    return host.once("keyed pam.d", lambda: _services(host))  # type: ignore[no-any-return]


def _services(host: Host) -> "Dict[str, str]":
    found: "Dict[str, str]" = {}
    names: "List[str]" = []
    for directory in DIRECTORIES:
        for name in host.names(directory):
            left = name.endswith(_LEFTOVERS) or any(mark in name for mark in _LEFTOVER_MARKS)
            if name in names or left:
                continue
            data = content(host, "{}/{}".format(directory, name))
            if data is not None:
                names.append(name)
                found["{}/{}".format(directory, name)] = data.decode("utf-8", "surrogateescape")
    return found


def _words(body: str, offset: int) -> "Iterator[Word]":
    start = -1
    bracket = False
    for index, character in enumerate(body + " "):
        blank = character in " \t" and not bracket
        if not blank and start < 0:
            start = index
            bracket = character == "["
        elif character == "]":
            bracket = False
        elif (blank or index == len(body)) and start >= 0:
            yield body[start:index], (offset + start, offset + index)
            start = -1
            bracket = False

"""What the shells' start files set, read as text and never executed.

Conditions are not followed: a statement counts wherever it stands, which errs on the strict side.
"""

from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Tuple

# bash(1) and Debian's /etc/profile: a login reads these, in this order.
PROFILE, BASHRC, PROFILE_D = "/etc/profile", "/etc/bash.bashrc", "/etc/profile.d"
ROOT = ("/root/.bash_profile", "/root/.bash_login", "/root/.profile", "/root/.bashrc")
_DECLARING = ("export", "readonly", "declare", "typeset", "local")
_MARKS = ";&|(){}"


class Statement:
    """One simple command: its words without quotes, and where it stands."""

    __slots__ = ("number", "place", "words")

    def __init__(self, words: "List[str]", place: str, number: int) -> None:
        self.words = words
        self.place = place
        self.number = number

    @property
    def told(self) -> str:
        """Return where it stands, as text for people."""
        return "{}, line {}".format(self.place, self.number)


def login(host: Host) -> "List[Statement]":
    """Return the statements of the files that every login shell reads, in their order."""
    found: "List[Statement]" = host.once("shell-login", lambda: _login(host))
    return found


def of(host: Host, places: "Tuple[str, ...]") -> "List[Statement]":
    """Return the statements of some files; absent ones hold none."""
    found: "List[Statement]" = []
    for place in places:
        data = host.read(place)
        if data is not None:
            found += parse(data.decode("utf-8", "surrogateescape"), place)
    return found


def parse(text: str, place: str) -> "Iterator[Statement]":
    """Yield the simple commands of a script, line by line."""
    for number, line in enumerate(text.split("\n"), 1):
        words: "List[str]" = []
        for word in _words(line):
            if word in _MARKS:
                if words:
                    yield Statement(words, place, number)
                words = []
            else:
                words.append(word)
        if words:
            yield Statement(words, place, number)


def assignments(statement: Statement) -> "Iterator[Tuple[str, Optional[str], str]]":
    """Yield (name, value or None, flags) of what a statement sets: flags hold x and r."""
    words = statement.words
    while words and words[0] in ("then", "else", "do", "if", "while", "!", "time", "builtin"):
        words = words[1:]
    flags = ""
    if words and words[0] in _DECLARING:
        flags = {"export": "x", "readonly": "r"}.get(words[0], "")
        for word in words[1:]:
            if word[:1] == "-":
                flags += word[1:]
                continue
            name, separator, value = word.partition("=")
            yield name, value if separator else None, flags
        return
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name.replace("_", "a").isalnum():
            return
        yield name, value, flags


def umasks(statements: "List[Statement]") -> "Iterator[Tuple[Statement, Optional[int]]]":
    """Yield each statement that sets the umask, with its value; None for a symbolic one."""
    for statement in statements:
        words = statement.words
        for index, word in enumerate(words[:-1]):
            if word == "umask" and words[index + 1] not in ("-S", "-p"):
                yield statement, _octal(words[index + 1])


def _octal(word: str) -> "Optional[int]":
    right = bool(word) and set(word) <= set("01234567")
    return int(word, 8) if right else None


def _login(host: Host) -> "List[Statement]":
    names = [name for name in host.names(PROFILE_D) if name.endswith(".sh") and name[0] != "."]
    places = [PROFILE, BASHRC, *("{}/{}".format(PROFILE_D, name) for name in names)]
    return of(host, tuple(places))


def _words(line: str) -> "Iterator[str]":
    """Yield the words of a line without their quotes; marks that end commands stand alone."""
    word, quote, begun = "", "", False
    for character in line + " ":
        if quote:
            quote, word = ("", word) if character == quote else (quote, word + character)
        elif character in "\"'":
            quote, begun = character, True
        elif character == "#" and not begun:
            return
        elif character in " \t\r" or (character in _MARKS and not _expands(word, character)):
            if begun:
                yield word
            if character in _MARKS:
                yield character
            word, begun = "", False
        else:
            word, begun = word + character, True


def _expands(word: str, mark: str) -> bool:
    """Return whether a bracket belongs to an expansion, as in ${PATH}."""
    return word.endswith("$") if mark in "{(" else mark in "})" and ("${" in word or "$(" in word)

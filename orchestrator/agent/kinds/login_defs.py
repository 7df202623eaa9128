"""``login_defs``: /etc/login.defs, which several programs read, each in its own way.

The shadow tools take the last line that names a key, PAM modules the first one: every line counts.
"""

from ..host import Host
from ..keyed import DEFAULT, Program, Setting, Value, c_number, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

PHASE = "accounts"

_NUMBERS = ("_DAYS", "_AGE", "_RETRIES", "_TIMEOUT", "_ROUNDS", "_MIN", "_MAX", "_COUNT", "_DELAY")
_NO_NUMBER = "-1"
# login.defs(5); useradd(8) takes -1, no limit at all, where an age is not set.
_DEFAULTS = {
    "PASS_MAX_DAYS": _NO_NUMBER,
    "PASS_MIN_DAYS": _NO_NUMBER,
    "PASS_WARN_AGE": _NO_NUMBER,
    "ENCRYPT_METHOD": "DES",
    "UMASK": "022",
    "LOGIN_RETRIES": "5",
    "LOGIN_TIMEOUT": "60",
    "DEFAULT_HOME": "no",
    "USERGROUPS_ENAB": "no",
}


class _LoginDefs(Program):
    name = "login.defs"
    main = "/etc/login.defs"
    defaults = _DEFAULTS

    def knows(self, key: str) -> bool:
        """Return True: each release has settings of its own."""
        return True

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings: a name, blanks, a value that quotes may enclose; no comments after.

        lib/getdef.c of shadow: a line with a name alone sets nothing.
        """
        found = []
        for line, span in lines(text):
            words = line.strip(" \t")
            name = words.replace("\t", " ").partition(" ")[0]
            value = words[len(name) :].lstrip(' "\t').partition('"')[0]
            if name and not name.startswith("#") and len(name) < len(words):
                found.append(Setting(name, value, place, span))
        return found

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return a number in decimal (octal and hexadecimal ones are understood), or the text."""
        if not key.endswith(_NUMBERS):
            return value
        return c_number(value)

    def line(self, key: str, value: str) -> str:
        """Return the line that sets a value."""
        return "{}\t{}".format(key, value)

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return what each line that names the key says."""
        found = []
        for setting in settings:
            if setting.key == key:
                text = self.read(key, setting.value)
                found.append(Value(_NO_NUMBER if text is None else text, setting.place, setting))
        return found or [Value(self.default(key, host), DEFAULT)]


PROGRAM = _LoginDefs()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

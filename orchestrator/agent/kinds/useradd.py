"""``useradd``: what new accounts get, from /etc/default/useradd."""

from ..keyed import Program, Setting, c_number, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

PHASE = "accounts"

_INACTIVE = "INACTIVE"
# useradd(8) and useradd.c of shadow.
_DEFAULTS = {
    "GROUP": "100",
    "GROUPS": "",
    "HOME": "/home",
    _INACTIVE: "-1",
    "EXPIRE": "",
    "SHELL": "/bin/bash",
    "SKEL": "/etc/skel",
    "USRSKEL": "/usr/etc/skel",
    "CREATE_MAIL_SPOOL": "yes",
    "LOG_INIT": "yes",
}


class _Useradd(Program):
    name = "useradd"
    main = "/etc/default/useradd"
    defaults = _DEFAULTS

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return the settings: a key at the very start of the line, an equals sign, a value."""
        found = []
        for line, span in lines(text):
            key, separator, value = line.partition("=")
            if separator and key in self.defaults:
                found.append(Setting(key, value, place, span))
        return found

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return the text; a number of days that cannot be read means never."""
        if key != _INACTIVE:
            return value
        number = c_number(value)
        return "-1" if number is None or int(number) < -1 else number

    def line(self, key: str, value: str) -> str:
        """Return the line that sets a value."""
        return "{}={}".format(key, value)


PROGRAM = _Useradd()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

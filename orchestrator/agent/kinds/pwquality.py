"""``pwquality``: what a new password must be like, as libpwquality reads it for every change.

Drop-ins are read first, in the order of their names, and the main file last: it wins over them.
Arguments of pam_pwquality win over both.
"""

from ..host import Host
from ..keyed import STOP, Setting, dropins, is_number, lines
from ..keyed.pam import NO, YES, ModuleProgram, pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional

PHASE = "accounts"

_DIRECTORY = "/etc/security/pwquality.conf.d"
_TEXTS = ("badwords", "dictpath")
# pwquality.conf(5): no shorter password can be asked for, and there are four classes.
_SHORTEST, _CLASSES = 6, 4
_INT_MAX = 2**31 - 1
# settings.c of libpwquality: a longer line ends the reading.
_LINE_LIMIT = 1022
# pwquality.conf(5).
_DEFAULTS = {
    "difok": "1",
    "minlen": "8",
    "dcredit": "0",
    "ucredit": "0",
    "lcredit": "0",
    "ocredit": "0",
    "minclass": "0",
    "maxrepeat": "0",
    "maxsequence": "0",
    "maxclassrepeat": "0",
    "gecoscheck": "0",
    "dictcheck": "1",
    "usercheck": "1",
    "usersubstr": "0",
    "enforcing": "1",
    "badwords": "",
    "dictpath": "",
    "retry": "1",
    "enforce_for_root": NO,
    "local_users_only": NO,
}


class _Pwquality(ModuleProgram):
    name = "pwquality"
    module = "pam_pwquality"
    main = "/etc/security/pwquality.conf"
    dropin = _DIRECTORY + "/zz-luytre-{}.conf"
    flags = ("enforce_for_root", "local_users_only")
    defaults = _DEFAULTS

    def own(self, host: Host) -> "Iterable[str]":
        """Return the drop-ins and the main file."""
        return [*dropins(host, _DIRECTORY), self.main]

    def order_own(self, places: "List[str]") -> "List[str]":
        """Return the drop-ins by name, then the main file."""
        return sorted(places, key=lambda place: (place == self.main, place))

    def canonical(self, key: str) -> str:
        """Return a key in lower case: the library does not tell them apart."""
        return key.lower()

    def parse_file(self, text: str, place: str) -> "List[Setting]":
        """Return the settings; what the library cannot read ends its reading."""
        found = []
        for line, span in lines(text):
            key, value = pair(line)
            key = key.lower()
            known = not key or (key in self.defaults and self.read(key, value) is not None)
            if not known or len(line.encode("utf-8", "surrogateescape")) > _LINE_LIMIT:
                found.append(Setting(STOP, line, place, span))
            elif key:
                found.append(Setting(key, YES if key in self.flags else value, place, span))
        return found

    def read(self, key: str, value: str) -> "Optional[str]":
        """Return a number within its bounds, or a text."""
        if key in _TEXTS:
            return value
        if key in self.flags:
            return value
        if not is_number(value) or not -_INT_MAX <= int(value) < _INT_MAX:
            return None
        number = int(value)
        if key == "minlen":
            number = max(number, _SHORTEST)
        if key == "minclass":
            number = min(number, _CLASSES)
        return str(number)


PROGRAM = _Pwquality()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

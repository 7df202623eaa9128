"""``limits``: what sessions may use, as pam_limits sets it for everybody (``hard/core: 0``).

Debian's module does not apply the entry of everybody to root; a user's or a group's own entry wins
over it, and an entry without limits ends the reading for those whom it names. All must be as
wanted.
"""

from ..host import Host
from ..keyed import NOT_SET, Program, Setting, Value, dropins, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List

PHASE = "accounts"

_DIRECTORY = "/etc/security/limits.d"
_ANYBODY, _ROOT = "*", "root"
_BOTH = "-"
_NO_LIMITS = "no limits"
# limits.conf(5): all spellings of the same.
_UNLIMITED = ("-1", "-", "unlimited", "infinity")
# "<domain> <type> <item> <value>", and "<domain> -" for no limits at all.
_WHOLE, _FREE = 4, 2


class _Limits(Program):
    name = "limits"
    main = "/etc/security/limits.conf"
    dropin = _DIRECTORY + "/zz-luytre-{}.conf"

    def knows(self, key: str) -> bool:
        """Return whether a key is a type and an item, such as hard/core."""
        type_, _, item = key.partition("/")
        return type_ in ("hard", "soft") and bool(item)

    def canonical(self, key: str) -> str:
        """Return a key in lower case, as the module reads it."""
        return key.lower()

    def places(self, host: Host) -> "Iterable[str]":
        """Return the main file and the drop-ins."""
        return [self.main, *dropins(host, _DIRECTORY)]

    def order(self, places: "Iterable[str]") -> "List[str]":
        """Return the main file, then the drop-ins by their names."""
        return sorted(places, key=lambda place: (place != self.main, place))

    def parse(self, text: str, place: str) -> "List[Setting]":
        """Return one setting for each type and item of a line; ``about`` is whom it concerns."""
        found = []
        for line, span in lines(text):
            words = line.partition("#")[0].split(None, _WHOLE - 1)
            if len(words) == _WHOLE:
                domain, type_, item, value = words
                types = ("hard", "soft") if type_ == _BOTH else (type_.lower(),)
                for each in types:
                    key = "{}/{}".format(each, item.lower())
                    found.append(Setting(key, value.strip().lower(), place, span, domain))
            elif len(words) == _FREE and words[1].startswith(_BOTH) and words[0] != _ANYBODY:
                found.append(Setting(_NO_LIMITS, _NO_LIMITS, place, span, words[0]))
        return found

    def read(self, key: str, value: str) -> str:
        """Return a number, or the one word for no limit."""
        return "unlimited" if value in _UNLIMITED else value

    def line(self, key: str, value: str) -> str:
        """Return the two lines that set a limit for everybody."""
        type_, _, item = self.canonical(key).partition("/")
        return "\n".join(
            "{} {} {} {}".format(domain, type_, item, value) for domain in (_ANYBODY, _ROOT)
        )

    def values(self, key: str, settings: "List[Setting]", host: Host) -> "List[Value]":
        """Return what everybody gets, what root gets, and what each one named on its own gets."""
        found: "Dict[str, Value]" = {}
        for who in (_ANYBODY, _ROOT):
            found[who] = Value("{} for {}".format(NOT_SET, who), self.main)
        free = []
        for setting in settings:
            if setting.key == key:
                text = self.read(key, setting.value)
                found[setting.about] = Value(text, setting.place, setting)
            elif setting.key == _NO_LIMITS:
                free.append(Value(_NO_LIMITS, setting.place, setting))
        return [*found.values(), *free]


PROGRAM = _Limits()
observe, judge = PROGRAM.observe, PROGRAM.judge
propose, validate, converge = PROGRAM.propose, PROGRAM.validate, PROGRAM.converge

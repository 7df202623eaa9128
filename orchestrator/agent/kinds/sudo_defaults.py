"""``sudo_defaults``: sudo's settings (``Defaults``), as they hold for everybody.

The last setting wins, and one that is bound to a user, a host or a command wins over all: a bound
one that does not meet the wish is a failure as well.
"""

from .. import conditions, facts, sudoers
from ..host import Host, Unreadable
from ..resources import path
from . import ByHand, Invalid, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

PHASE = "accounts"

_HEAD = "# Managed by luytre (control {}).\n"
# The last setting wins: files are read in the order of their names (sudoers(5)).
_LAST = "zzzz"
_NOT_SET = "not set"
# sudoers(5), as Debian builds it (--with-timeout=15); use_pty is on by default since 1.9.14.
_DEFAULTS = {"authenticate": "yes", "logfile": _NOT_SET, "timestamp_timeout": "15"}
_PTY_SINCE = (1, 9, 14)


class Observed:
    """The value that holds for everybody, and the bound ones: (value, for whom), by option."""

    __slots__ = ("bound", "general")

    def __init__(
        self, general: "Dict[str, str]", bound: "Dict[str, List[Tuple[str, str]]]"
    ) -> None:
        self.general = general
        self.bound = bound


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return each wanted setting as sudo goes by it."""
    policy = sudoers.policy(host)
    general: "Dict[str, str]" = {}
    bound: "Dict[str, List[Tuple[str, str]]]" = {}
    for option in want:
        told = [each for each in policy.settings if each.option == option]
        free = [each.value for each in told if not each.bound]
        general[option] = _whole(free[-1]) if free else _default(option, host)
        bound[option] = [(_whole(each.value), each.bound) for each in told if each.bound]
    return Observed(general, bound)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether every setting holds, for everybody and for each that has one of its own."""
    expected, seen, passed = [], [], True
    for option, condition in want.items():
        expected.append("{} = {}".format(option, conditions.describe(condition)))
        passed = passed and conditions.meets(condition, observed.general[option])
        seen.append("{} = {}".format(option, observed.general[option]))
        loose = _loose(condition, observed.bound[option])
        passed = passed and not loose
        seen.extend("{} = {} for {}".format(option, value, whom) for value, whom in loose)
    return Judgement.of(passed, "; ".join(expected), "; ".join(seen))


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the drop-in to write."""
    place = _place(target)
    before = (target.host.read(place) or b"").decode("utf-8", "replace")
    text = _drop_in(want, observed, target)
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return Proposal("sudo: " + ", ".join(lines), resources, (), unified(place, before, text))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Let visudo read the drop-in; settings of single users are left to people."""
    observed = observe(want, target.host)
    for option, condition in want.items():
        loose = _loose(condition, observed.bound[option])
        if loose:
            told = ", ".join("{} for {}".format(value, whom) for value, whom in loose)
            raise ByHand("sudoers sets {} = {}: change it with visudo".format(option, told))
    text = _drop_in(want, observed, target)
    complaint = sudoers.complaint(text, target.host)
    if complaint:
        raise Invalid("visudo refuses the settings: {}".format(complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the drop-in."""
    place = _place(target)
    text = _drop_in(want, observe(want, target.host), target)
    path.make_parents(place)
    path.write(place, text.encode(), root_file(0o440))


def _loose(condition: "Any", bound: "List[Tuple[str, str]]") -> "List[Tuple[str, str]]":
    return [(value, whom) for value, whom in bound if not conditions.meets(condition, value)]


def _default(option: str, host: Host) -> str:
    if option == "use_pty":
        return "yes" if _version(host) >= _PTY_SINCE else "no"
    if option not in _DEFAULTS:
        raise Unreadable("sudo's default of {} is not known here".format(option))
    return _DEFAULTS[option]


def _version(host: Host) -> "Tuple[int, ...]":
    """Return sudo's version as numbers: 1.9.13p3-1+deb12u2 is (1, 9, 13)."""
    text = facts.packages(host).get("sudo") or facts.packages(host).get("sudo-ldap")
    if text is None:
        raise Unreadable("sudo is not installed as a package")
    parts = text.rpartition(":")[2].split(".")[:3]
    numbers = ["".join(c for c in part[:3] if c.isdigit()) for part in parts]
    return tuple(int(number) for number in numbers if number)


def _whole(value: str) -> str:
    """Return minutes as whole ones, rounded up; anything else as it is."""
    whole, point, rest = value.partition(".")
    if not point or not (whole + rest).lstrip("-").isdigit():
        return value
    up = 1 if rest.strip("0") and not whole.startswith("-") else 0
    return str(int(whole or "0") + up)


def _place(target: Target) -> str:
    return "{}/{}-luytre-{}".format(sudoers.DIRECTORY, _LAST, target.slot)


def _drop_in(want: "Dict[str, Any]", observed: Observed, target: Target) -> str:
    lines = [_HEAD.format(target.slot)]
    for option, condition in want.items():
        present = observed.general[option]
        kept = conditions.meets(condition, present) and present != _NOT_SET
        lines.append(_line(option, present if kept else conditions.target(condition)))
    return "".join(lines)


def _line(option: str, value: str) -> str:
    if value in ("yes", "no"):
        return "Defaults {}{}\n".format("" if value == "yes" else "!", option)
    return 'Defaults {}="{}"\n'.format(option, value)

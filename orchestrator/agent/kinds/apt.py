"""``apt``: apt's options, as they hold after all files were read (apt-config dump)."""

from .. import conditions
from ..host import Host
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

PHASE = "files"

# apt.conf(5): the files of the directory are read in the order of their names, the main one last.
_DIRECTORY = "/etc/apt/apt.conf.d"
_MAIN = "/etc/apt/apt.conf"
_LAST = "zzzz"
_HEAD = "// Managed by luytre (control {}).\n"
_NOT_SET = "not set"
# apt-pkg/contrib/strutl.h (StringToBool): the words that apt takes for yes and no.
_YES = ("1", "yes", "true", "with", "on", "enable")
_NO = ("0", "no", "false", "without", "off", "disable")
# apt.conf(5) and apt-get(8): what holds where no file sets the option.
_DEFAULTS = {
    "apt::get::allowunauthenticated": "no",
    "apt::install-recommends": "yes",
    "apt::install-suggests": "no",
    "acquire::allowinsecurerepositories": "no",
    "acquire::allowweakrepositories": "no",
    "acquire::allowdowngradetoinsecurerepositories": "no",
    "acquire::check-valid-until": "yes",
}


def observe(want: "Dict[str, Any]", host: Host) -> "Dict[str, str]":
    """Return each wanted option's value; options are not told apart by case."""
    told = options(host)
    return {
        option: told.get(option.lower(), _DEFAULTS.get(option.lower(), _NOT_SET)) for option in want
    }


def judge(want: "Dict[str, Any]", observed: "Dict[str, str]") -> Judgement:
    """Return whether every option holds."""
    expected, seen, passed = [], [], True
    for option, condition in want.items():
        passed = passed and _holds(condition, observed[option])
        expected.append("{} {}".format(option, conditions.describe(condition)))
        seen.append("{} {}".format(option, observed[option]))
    return Judgement.of(passed, "; ".join(expected), "; ".join(seen))


def propose(want: "Dict[str, Any]", observed: "Dict[str, str]", target: Target) -> Proposal:
    """Return the drop-in to write."""
    place = _place(target)
    before = (target.host.read(place) or b"").decode("utf-8", "replace")
    text = _drop_in(want, target)
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    return Proposal("apt: writes " + place, resources, (), unified(place, before, text))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what the main file sets: it is read after every drop-in."""
    main = (target.host.read(_MAIN) or b"").decode("utf-8", "replace").lower()
    if any(option.lower().rpartition("::")[2] in main for option in want):
        raise ByHand("{} sets it, and is read last: change it there".format(_MAIN))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the drop-in."""
    place = _place(target)
    path.make_parents(place)
    path.write(place, _drop_in(want, target).encode(), root_file(0o644))


def options(host: Host) -> "Dict[str, str]":
    """Return the options that are set on a host, as :func:`parse` does."""
    return host.once("apt-config", lambda: parse(host.expect(["/usr/bin/apt-config", "dump"])))  # type: ignore[no-any-return]


def parse(data: bytes) -> "Dict[str, str]":
    """Return apt-config's lines as lower-case option → value; a list's items are joined."""
    found: "Dict[str, str]" = {}
    for line in data.decode("utf-8", "replace").splitlines():
        option, separator, value = line.partition(' "')
        if separator and value.endswith('";'):
            name = option.rstrip(":").lower()
            item = value[:-2]
            found[name] = "{},{}".format(found[name], item) if found.get(name) else item
    return found


def is_yes(value: str) -> bool:
    """Return whether apt takes an option's value for yes."""
    return value.lower() in _YES


def _holds(condition: "Any", value: str) -> bool:
    if isinstance(condition, bool):
        return is_yes(value) if condition else value.lower() in _NO
    return conditions.meets(condition, value)


def _place(target: Target) -> str:
    return "{}/{}-luytre-{}".format(_DIRECTORY, _LAST, target.slot)


def _drop_in(want: "Dict[str, Any]", target: Target) -> str:
    lines = [_HEAD.format(target.slot)]
    for option, condition in want.items():
        lines.append('{} "{}";\n'.format(option, conditions.target(condition)))
    return "".join(lines)

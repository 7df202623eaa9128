"""``sshd``: effective options of the SSH server.

The server takes the first value that it meets, so one drop-in per control, sorted before any other,
decides. Debian's own configuration includes the directory; where it does not (a configuration kept
over an upgrade, or options before the include), one line at its top includes ours.
"""

from .. import conditions, facts, sshd_config
from ..host import Host
from ..resources import path
from . import ByHand, Invalid, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Tuple

PHASE = "remote access"

MAIN = sshd_config.MAIN
DIRECTORY = "/etc/ssh/sshd_config.d"
_OURS_MARK = DIRECTORY + "/00-luytre-"
_OURS = _OURS_MARK + "*.conf"
_HEAD = "# Managed by luytre (control {}).\n"
_RELOAD = "reload ssh.service"
# Lists of names: separated by blanks, put together over all lines, left out by sshd -T when empty.
_NAMES = ("allowgroups", "allowusers", "denygroups", "denyusers")
# The host variable by which people say whom a list is to name.
_DECLARED_IN = {"allowgroups": "luytre_ssh_groups"}


class Observed:
    """Effective options, and what Match blocks set apart from them: (option, value, file)."""

    def __init__(self, effective: "Dict[str, str]", matched: "List[Tuple[str, str, str]]") -> None:
        self.effective = effective
        self.matched = matched


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return the effective options, and what Match blocks set of the wanted ones."""
    effective = facts.sshd_effective(host)
    matched = host.once("sshd-matched", lambda: _read_matched(host))
    wanted = {option.lower() for option in want}
    told = [(o, _spoken(o, v, host), place) for o, v, place in matched if o in wanted]
    return Observed(effective, told)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether every wanted option holds, in general and in every Match block."""
    expected, seen = [], []
    for option, condition in want.items():
        expected.append("{} {}".format(option, conditions.describe(condition)))
        seen.append("{} {}".format(option, _effective(option, observed)))
    loose = [
        "{} {} ({})".format(option, value, place)
        for option, value, place in observed.matched
        for name, condition in want.items()
        if name.lower() == option and not conditions.meets(condition, value)
    ]
    detail = "a Match block sets " + ", ".join(loose) if loose else ""
    observed_text = "; ".join(seen) + (", but " + detail if detail else "")
    passed = _holds(want, observed) and not loose
    return Judgement.of(passed, "; ".join(expected), observed_text, detail)


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the drop-in to write, and the include where the server would not read it."""
    place = _place(target)
    before = path.written(place, target.host)
    text = _drop_in(want, observed, target)
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    summary = "sshd: " + ", ".join(line for line in text.splitlines() if not line.startswith("#"))
    diff = unified(place, before.decode("utf-8", "replace"), text)
    if _include_wanted(want, target):
        resources.append("path:" + MAIN)
        summary += "; include {}".format(_OURS)
    return Proposal(summary, resources, (_RELOAD,), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Let the server itself read the configuration as it would become; nothing is changed.

    Raises ByHand where a drop-in that is read first would not decide: a Match block overrides it,
    of a few options the last value counts (MaxStartups), and lists of names are put together.
    """
    for option, condition in want.items():
        _refuse_undecided(option, condition, target.host)
    observed = observe(want, target.host)
    judged = judge(want, observed)
    if judged.detail and _holds(want, observed):
        raise ByHand("{}: correct it there".format(judged.detail))
    text = _drop_in(want, observed, target) + _main(target.host)
    data = text.encode("utf-8", "surrogateescape")
    completed = target.host.run(["/usr/sbin/sshd", "-T", "-f", "/dev/stdin"], data)
    if completed.status != 0:
        raise Invalid("sshd refuses the configuration: {}".format(completed.complaint))
    becoming = Observed(facts.parse_sshd(completed.out), [])
    wrong = [option for option in want if not _meets(option, want, becoming)]
    if wrong:
        places, names = _places(wrong, target.host), ", ".join(wrong)
        if not places:
            raise Invalid("sshd would not take {} as wanted".format(names))
        raise ByHand("{} set in {}: correct it there".format(names, ", ".join(places)))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the drop-in, and the include where it is wanted."""
    place = _place(target)
    wanted = _include_wanted(want, target)
    text = _drop_in(want, observe(want, target.host), target)
    path.make_parents(place)
    path.write(place, text.encode(), root_file(0o600))
    if wanted:
        main = "Include {}\n{}".format(_OURS, _main(target.host))
        path.rewrite(MAIN, main.encode("utf-8", "surrogateescape"))


def _refuse_undecided(option: str, condition: "Any", host: Host) -> None:
    """Raise ByHand where nobody said whom to name, Unreadable for a group that does not exist."""
    if not isinstance(condition, dict) or "only" not in condition:
        return
    if not condition["only"]:
        raise ByHand("say in {} who may log in".format(_DECLARED_IN.get(option.lower(), option)))
    if option.lower() == "allowgroups":
        for name in condition["only"]:
            facts.gid(name)


def _holds(want: "Dict[str, Any]", observed: Observed) -> bool:
    """Return whether every wanted option holds where no Match block applies."""
    return all(_meets(option, want, observed) for option in want)


def _meets(option: str, want: "Dict[str, Any]", observed: Observed) -> bool:
    value = observed.effective.get(option.lower())
    return value is not None and conditions.meets(want[option], value)


def _effective(option: str, observed: Observed) -> str:
    absent = "(not set)" if option.lower() in _NAMES else "(unknown to this sshd)"
    return observed.effective.get(option.lower(), absent)


def include_wanted(lines: "Iterable[sshd_config.Line]", want: "Dict[str, Any]", ours: str) -> bool:
    """Return whether the server would not read our drop-in before a wanted option.

    ``lines`` are those of the whole configuration, in which our drop-in (``ours``) is included
    wherever it would be found.
    """
    wanted = {option.lower() for option in want}
    for line in lines:
        if line.option == "include" and line.value == ours:
            return line.block is not None
        if line.option in wanted and _OURS_MARK not in line.place:
            return True
    return True


def _include_wanted(want: "Dict[str, Any]", target: Target) -> bool:
    ours, host = _place(target), target.host

    def expand(pattern: str) -> "List[Tuple[str, str]]":
        found = sshd_config.files(pattern, host)
        if sshd_config.covers(pattern, ours):
            found = sorted([each for each in found if each[0] != ours] + [(ours, "")])
        return found

    lines = sshd_config.walk(_main(host), MAIN, expand)
    return include_wanted(lines, want, ours)


def _read_matched(host: Host) -> "List[Tuple[str, str, str]]":
    """Return what Match blocks set, in all files that the server includes."""
    return sshd_config.matched(_lines(host))


def _places(options: "List[str]", host: Host) -> "List[str]":
    """Return the files, ours left out, that set one of the options for everybody."""
    wanted = {option.lower() for option in options}
    found = [line.place for line in _lines(host) if line.option in wanted and line.block is None]
    return sorted({place for place in found if _OURS_MARK not in place})


def _lines(host: Host) -> "Iterator[sshd_config.Line]":
    """Yield every line of the configuration as it stands."""

    def expand(pattern: str) -> "List[Tuple[str, str]]":
        return sshd_config.files(pattern, host)

    return sshd_config.walk(_main(host), MAIN, expand)


def _spoken(option: str, value: str, host: Host) -> str:
    """Return a value of a Match block in the server's own spelling (``5m`` is 300 seconds).

    Where the server does not take the line alone, the value is returned as it is written.
    """

    def ask() -> str:
        line = "{} {}\n".format(option, value).encode("utf-8", "surrogateescape")
        completed = host.run(["/usr/sbin/sshd", "-T", "-f", "/dev/stdin"], line)
        told = facts.parse_sshd(completed.out) if completed.status == 0 else {}
        return told.get(option, value)

    return host.once("sshd-spoken {} {}".format(option, value), ask)  # type: ignore[no-any-return]


def _main(host: Host) -> str:
    return (host.read(MAIN) or b"").decode("utf-8", "surrogateescape")


def _place(target: Target) -> str:
    return "{}{}.conf".format(_OURS_MARK, target.slot)


def _drop_in(want: "Dict[str, Any]", observed: Observed, target: Target) -> str:
    lines = [_HEAD.format(target.slot)]
    for option, condition in want.items():
        lines.append("{} {}\n".format(option, value(option, condition, observed)))
    return "".join(lines)


def value(option: str, condition: "Any", observed: Observed) -> str:
    """Return what our drop-in would set one option to."""
    present = observed.effective.get(option.lower(), "")
    if isinstance(condition, dict) and set(conditions.LISTS) & set(condition):
        between = " " if option.lower() in _NAMES else ","
        return between.join(conditions.mended(condition, present))
    if present and conditions.meets(condition, present):
        return present
    return conditions.target(condition)

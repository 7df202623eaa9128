"""``sshd``: effective options of the SSH server.

The server takes the first value that it meets, so one drop-in per control, sorted before any other,
decides. Debian's own configuration includes the directory; where it does not (a configuration kept
over an upgrade, or options before the include), one line at its top includes ours.
"""

from .. import conditions, facts
from ..host import Host
from ..resources import path
from . import Invalid, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

MAIN = "/etc/ssh/sshd_config"
DIRECTORY = "/etc/ssh/sshd_config.d"
_OURS = DIRECTORY + "/00-luytre-*.conf"
_HEAD = "# Managed by luytre (control {}).\n"
_RELOAD = "reload ssh.service"


class Observed:
    """Effective options, and what Match blocks set apart from them: (option, value, file)."""

    def __init__(self, effective: "Dict[str, str]", matched: "List[Tuple[str, str, str]]") -> None:
        self.effective = effective
        self.matched = matched


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return the effective options and the overrides of Match blocks."""
    effective = facts.sshd_effective(host)
    matched = host.once("sshd-matched", lambda: _read_matched(host))
    return Observed(effective, matched)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether every wanted option holds, in general and in every Match block."""
    expected, seen, passed = [], [], True
    for option, condition in want.items():
        value = observed.effective.get(option.lower(), "(unknown to this sshd)")
        passed = passed and conditions.meets(condition, value)
        expected.append("{} {}".format(option, conditions.describe(condition)))
        seen.append("{} {}".format(option, value))
    loose = [
        "{} {} ({})".format(option, value, place)
        for option, value, place in observed.matched
        for name, condition in want.items()
        if name.lower() == option and not conditions.meets(condition, value)
    ]
    detail = "a Match block sets " + ", ".join(loose) if loose else ""
    return Judgement.of(passed and not loose, "; ".join(expected), "; ".join(seen), detail)


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the drop-in to write, and the include where the server would not read it."""
    place = _place(target)
    before = target.host.read(place) or b""
    text = _drop_in(want, observed, target)
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    summary = "sshd: " + ", ".join(line for line in text.splitlines() if not line.startswith("#"))
    diff = unified(place, before.decode("utf-8", "replace"), text)
    if include_wanted(_main(target.host), want):
        resources.append("path:" + MAIN)
        summary += "; include {}".format(_OURS)
    return Proposal(summary, resources, (_RELOAD,), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Let the server itself read the configuration as it would become; nothing is changed."""
    observed = observe(want, target.host)
    text = _drop_in(want, observed, target) + _main(target.host)
    completed = target.host.run(["/usr/sbin/sshd", "-t", "-f", "/dev/stdin"], text.encode())
    if completed.status != 0:
        raise Invalid("sshd refuses the configuration: {}".format(completed.complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the drop-in, and the include where it is wanted."""
    place = _place(target)
    for parent in path.missing_parents(place):
        path.restore(parent, dict(root_file(0o755), type="directory"), b"", target.host)
    text = _drop_in(want, observe(want, target.host), target)
    main = _main(target.host)
    path.write(place, text.encode(), root_file(0o600))
    if include_wanted(main, want):
        state = path.capture(MAIN, target.host)[0]
        state.pop("mtime_ns", None)
        path.write(MAIN, "Include {}\n{}".format(_OURS, main).encode(), state)


def include_wanted(main: str, want: "Dict[str, Any]") -> bool:
    """Return whether the server would not read our drop-ins before a wanted option."""
    wanted = {option.lower() for option in want}
    for word, rest in directives(main):
        if word == "include" and any(p in (_OURS, DIRECTORY + "/*.conf") for p in rest.split()):
            return False
        if word == "match" or word in wanted:
            return True
    return True


def directives(text: str) -> "List[Tuple[str, str]]":
    """Return (lower-case keyword, arguments) of each line that is not a comment."""
    found = []
    for line in text.splitlines():
        words = line.strip().replace("=", " ", 1).split(None, 1)
        if words and not words[0].startswith("#"):
            found.append((words[0].lower(), words[1].strip() if len(words) > 1 else ""))
    return found


def match_options(text: str, place: str) -> "List[Tuple[str, str, str]]":
    """Return (option, value, place) of every line inside a Match block."""
    found = []
    inside = ""
    for word, rest in directives(text):
        if word == "match":
            inside = "" if rest.lower() == "all" else "{}: Match {}".format(place, rest)
        elif inside:
            found.append((word, rest, inside))
    return found


def _read_matched(host: Host) -> "List[Tuple[str, str, str]]":
    found = match_options(_main(host), MAIN)
    for name in host.names(DIRECTORY):
        place = "{}/{}".format(DIRECTORY, name)
        if name.endswith(".conf"):
            text = (host.read(place) or b"").decode("utf-8", "replace")
            found.extend(match_options(text, place))
    return found


def _main(host: Host) -> str:
    return (host.read(MAIN) or b"").decode("utf-8", "surrogateescape")


def _place(target: Target) -> str:
    return "{}/00-luytre-{}.conf".format(DIRECTORY, target.slot)


def _drop_in(want: "Dict[str, Any]", observed: Observed, target: Target) -> str:
    lines = [_HEAD.format(target.slot)]
    for option, condition in want.items():
        lines.append("{} {}\n".format(option, _value(option, condition, observed)))
    return "".join(lines)


def _value(option: str, condition: "Any", observed: Observed) -> str:
    present = observed.effective.get(option.lower(), "")
    if isinstance(condition, dict) and "without" in condition:
        unwanted = {conditions.plain(value) for value in condition["without"]}
        return ",".join(item for item in conditions.items(present) if item not in unwanted)
    if present and conditions.meets(condition, present):
        return present
    return conditions.target(condition)

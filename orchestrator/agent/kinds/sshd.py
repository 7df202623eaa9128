"""``sshd``: effective options of the SSH server.

The server takes the first value that it meets, so one drop-in per control, sorted before any other,
decides. Debian's own configuration includes the directory; where it does not (a configuration kept
over an upgrade, or options before the include), one line at its top includes ours.
"""

from .. import conditions, facts
from ..host import Host, Unreadable
from ..resources import path
from . import Invalid, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Tuple

PHASE = "remote access"

MAIN = "/etc/ssh/sshd_config"
DIRECTORY = "/etc/ssh/sshd_config.d"
_OURS = DIRECTORY + "/00-luytre-*.conf"
_HEAD = "# Managed by luytre (control {}).\n"
_RELOAD = "reload ssh.service"
# servconf.h of OpenSSH: how deep Include may go.
_DEPTH = 16


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
    observed_text = "; ".join(seen) + (", but " + detail if detail else "")
    return Judgement.of(passed and not loose, "; ".join(expected), observed_text, detail)


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return the drop-in to write, and the include where the server would not read it."""
    place = _place(target)
    before = target.host.read(place) or b""
    text = _drop_in(want, observed, target)
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    summary = "sshd: " + ", ".join(line for line in text.splitlines() if not line.startswith("#"))
    diff = unified(place, before.decode("utf-8", "replace"), text)
    if _include_wanted(want, target):
        resources.append("path:" + MAIN)
        summary += "; include {}".format(_OURS)
    return Proposal(summary, resources, (_RELOAD,), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Let the server itself read the configuration as it would become; nothing is changed."""
    observed = observe(want, target.host)
    text = _drop_in(want, observed, target) + _main(target.host)
    data = text.encode("utf-8", "surrogateescape")
    completed = target.host.run(["/usr/sbin/sshd", "-t", "-f", "/dev/stdin"], data)
    if completed.status != 0:
        raise Invalid("sshd refuses the configuration: {}".format(completed.complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the drop-in, and the include where it is wanted."""
    place = _place(target)
    wanted = _include_wanted(want, target)
    text = _drop_in(want, observe(want, target.host), target)
    path.make_parents(place)
    path.write(place, text.encode(), root_file(0o600))
    if wanted:
        state = path.look(MAIN)
        state.pop("mtime_ns", None)
        main = "Include {}\n{}".format(_OURS, _main(target.host))
        path.write(MAIN, main.encode("utf-8", "surrogateescape"), state)


def include_wanted(main: str, want: "Dict[str, Any]", earlier: "Iterable[str]" = ()) -> bool:
    """Return whether the server would not read our drop-ins before a wanted option.

    ``earlier`` are the (lower-case) options that drop-ins sorted before ours set.
    """
    wanted = {option.lower() for option in want}
    for word, rest in directives(main):
        if word == "include":
            places = [_absolute(place) for place in rest.split()]
            if _OURS in places:
                return False
            return places[:1] != [DIRECTORY + "/*.conf"] or bool(wanted & set(earlier))
        if word == "match" or word in wanted:
            return True
    return True


def directives(text: str) -> "List[Tuple[str, str]]":
    """Return (lower-case keyword, arguments) of each line that is not a comment."""
    found = []
    for line in map(str.strip, text.split("\n")):
        if line and not line.startswith("#"):
            end = next((i for i, c in enumerate(line) if c in " \t="), len(line))
            rest = line[end:].strip()
            rest = rest[1:].strip() if rest.startswith("=") else rest
            found.append((line[:end].strip('"').lower(), _without_comment(rest)))
    return found


def match_options(text: str, place: str, inside: str = "") -> "List[Tuple[str, str, str]]":
    """Return (option, value, place) of every line inside a Match block.

    ``inside`` names the block that includes the whole text.
    """
    return [line for line in _located(text, place, inside) if line[2]]


def _located(text: str, place: str, inside: str) -> "Iterator[Tuple[str, str, str]]":
    """Yield (option, value, Match block or nothing) of every line but the Match lines."""
    for word, rest in directives(text):
        if word == "match":
            inside = "" if rest.lower() == "all" else "{}: Match {}".format(place, rest)
        else:
            yield word, rest, inside


def _without_comment(rest: str) -> str:
    quoted = False
    for index, character in enumerate(rest):
        quoted ^= character == '"'
        if character == "#" and not quoted and (not index or rest[index - 1] in " \t"):
            return rest[:index].strip()
    return rest


def _read_matched(host: Host) -> "List[Tuple[str, str, str]]":
    """Return what Match blocks set, in all files that the server includes."""
    found: "List[Tuple[str, str, str]]" = []
    _gather(_main(host), MAIN, "", host, found)
    return found


def _gather(
    text: str, place: str, inside: str, host: Host, found: "List[Tuple[str, str, str]]"
) -> None:
    if place.count(">") > _DEPTH:
        raise Unreadable("{}: includes itself".format(place))
    for word, rest, block in _located(text, place, inside):
        if word != "include":
            found.extend([(word, rest, block)] if block else [])
            continue
        for pattern in rest.replace('"', "").split():
            for each in _included(_absolute(pattern), host):
                data = (host.read(each) or b"").decode("utf-8", "replace")
                _gather(data, "{} > {}".format(place, each), block, host, found)


def _included(pattern: str, host: Host) -> "List[str]":
    directory, _, name = pattern.rpartition("/")
    if not any(mark in pattern for mark in "*?["):
        return [pattern]
    if any(mark in directory for mark in "*?[") or name != "*.conf":
        from glob import glob  # 6 ms: only for patterns that Debian does not use

        return sorted(glob(pattern))
    names = [each for each in host.names(directory) if each.endswith(".conf") and each[0] != "."]
    return ["{}/{}".format(directory, each) for each in names]


def _absolute(place: str) -> str:
    return place if place.startswith("/") else "/etc/ssh/" + place


def _include_wanted(want: "Dict[str, Any]", target: Target) -> bool:
    ours, host = _place(target).rpartition("/")[2], target.host
    earlier: "List[str]" = []
    for name in host.names(DIRECTORY):
        if name.endswith(".conf") and name < ours and not name.startswith("00-luytre-"):
            data = host.read("{}/{}".format(DIRECTORY, name)) or b""
            earlier.extend(word for word, _ in directives(data.decode("utf-8", "replace")))
    return include_wanted(_main(host), want, earlier)


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

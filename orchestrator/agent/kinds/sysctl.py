"""``sysctl``: kernel parameters, both as they run and as they are set at boot."""

import os

from .. import conditions
from ..host import Host, Unreadable
from ..resources import path
from ..resources import sysctl as kernel
from . import ByHand, Invalid, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Tuple

PHASE = "kernel"

# sysctl.d(5): a file in an earlier directory hides those of the same name in later ones.
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
# Sorted after Debian's own 99-sysctl.conf, because the last setting wins.
_PLACE = "/etc/sysctl.d/zz-luytre-{}.conf"
_HEAD = "# Managed by luytre (control {}).\n"


class Value:
    """One parameter: as it runs (None: the kernel has none) and as set at boot, with the file."""

    __slots__ = ("boot", "place", "running")

    def __init__(self, running: "Optional[str]", boot: "Optional[str]", place: str) -> None:
        self.running = running
        self.boot = boot
        self.place = place


def observe(want: "Dict[str, Any]", host: Host) -> "Dict[str, Value]":
    """Return each wanted parameter as it runs and as it is set at boot."""
    settings = host.once("sysctl.d", lambda: in_effect(_read_lines(host)))
    found = {}
    for key in want:
        boot, place = at_boot(settings, key)
        running = kernel.running(key, host)
        if running is None and not _family_absent(key):
            raise Unreadable("the kernel has no parameter {}".format(key))
        found[key] = Value(running, boot, place)
    return found


def judge(want: "Dict[str, Any]", observed: "Dict[str, Value]") -> Judgement:
    """Return whether each parameter holds now and after a reboot."""
    if all(value.running is None for value in observed.values()):
        expected = ", ".join(sorted(want))
        return Judgement("not_applicable", expected, "", "the kernel runs without this protocol")
    wanted, seen, passed = [], [], True
    for key, condition in want.items():
        value = observed[key]
        wanted.append("{} = {}".format(key, conditions.describe(condition)))
        runs = value.running is not None and conditions.meets(condition, value.running)
        boots = value.boot is not None and conditions.meets(condition, value.boot)
        passed = passed and runs and boots
        boot = "{} ({})".format(value.boot, value.place) if value.boot is not None else "not set"
        seen.append("{} = {}, at boot {}".format(key, value.running, boot))
    return Judgement.of(passed, "; ".join(wanted), "; ".join(seen))


def propose(want: "Dict[str, Any]", observed: "Dict[str, Value]", target: Target) -> Proposal:
    """Return the file to write and the parameters to set."""
    place = _PLACE.format(target.slot)
    before = path.written(place, target.host).decode("utf-8", "replace")
    text = _text(want, observed, target)
    changed = [key for key in want if observed[key].running != _value(want[key], observed[key])]
    resources = ["path:" + parent for parent in path.missing_parents(place)] + ["path:" + place]
    resources += ["sysctl:" + key for key in want]
    running = "; sets now: " + ", ".join(changed) if changed else ""
    return Proposal(
        "kernel: writes {}{}".format(place, running), resources, (), unified(place, before, text)
    )


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where the running kernel cannot be written (a container without the right to).

    Raises ByHand where a file that is read after ours decides.
    """
    ours = os.path.basename(_PLACE.format(target.slot))
    for key, value in observe(want, target.host).items():
        if value.running is not None and not os.access(kernel.location(key), os.W_OK):
            raise Invalid("{} cannot be set here".format(key))
        later = value.boot is not None and os.path.basename(value.place) > ours
        if later and not conditions.meets(want[key], str(value.boot)):
            text = "{} sets {} = {} after every file of ours: correct it there"
            raise ByHand(text.format(value.place, key, value.boot))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the file and set the parameters that differ."""
    observed = observe(want, target.host)
    place = _PLACE.format(target.slot)
    path.make_parents(place)
    path.write(place, _text(want, observed, target).encode(), root_file(0o644))
    for key, value in observed.items():
        wanted = _value(want[key], value)
        if value.running is not None and value.running != wanted:
            kernel.set_running(key, wanted)


def in_effect(lines: "Iterable[Tuple[str, str, str]]") -> "Dict[str, Tuple[str, str]]":
    """Return canonical name → (value, file) in the order in which systemd-sysctl sets them.

    ``lines`` are (name, value, file) in the order of the files. A later line for the same name
    takes the place of the former, at the end, unless it says the same (systemd-sysctl(8)).
    """
    found: "Dict[str, Tuple[str, str]]" = {}
    for written, value, place in lines:
        name = kernel.canonical(written[1:] if written.startswith("-") else written)
        if name not in found or found[name][0] != value:
            found.pop(name, None)
            found[name] = (value, place)
    return found


def at_boot(settings: "Dict[str, Tuple[str, str]]", key: str) -> "Tuple[Optional[str], str]":
    """Return (value, file) that a parameter gets at boot; (None, "") where no file sets it.

    A name in the settings may be a glob, over which the parameter's own name wins; ``-name``
    without a value keeps globs off it (sysctl.d(5)).
    """
    wanted = kernel.canonical(key)
    if wanted in settings:
        value, place = settings[wanted]
        return (value, place) if value else (None, "")
    found: "Tuple[Optional[str], str]" = (None, "")
    for name, (value, place) in settings.items():
        if value and any(mark in name for mark in "*?[") and _glob(name, wanted):
            found = (value, place)
    return found


def parse(text: str, place: str) -> "List[Tuple[str, str, str]]":
    """Return (name, value, file) of each setting; ``-name`` without a value has an empty one."""
    found = []
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        name, separator, value = line.partition("=")
        if separator or name.startswith("-"):
            found.append((name.strip(), " ".join(value.split()), place))
    return found


def _read_lines(host: Host) -> "List[Tuple[str, str, str]]":
    places: "Dict[str, str]" = {}
    for directory in reversed(DIRECTORIES):
        for name in host.names(directory):
            if name.endswith(".conf"):
                places[name] = "{}/{}".format(directory, name)
    found: "List[Tuple[str, str, str]]" = []
    for name in sorted(places):
        if os.path.realpath(places[name]) == os.devnull:
            continue
        data = host.read(places[name])
        found.extend(parse((data or b"").decode("utf-8", "replace"), places[name]))
    return found


def _text(want: "Dict[str, Any]", observed: "Dict[str, Value]", target: Target) -> str:
    lines = [_HEAD.format(target.slot)]
    lines.extend("{} = {}\n".format(key, _value(want[key], observed[key])) for key in want)
    return "".join(lines)


def _value(condition: "Any", value: Value) -> str:
    if value.running is not None and conditions.meets(condition, value.running):
        return value.running
    return conditions.target(condition)


def _family_absent(key: str) -> bool:
    ours = kernel.canonical(key).startswith("net/ipv6/")
    return ours and not os.path.isdir(kernel.ROOT + "net/ipv6")


def _glob(pattern: str, name: str) -> bool:
    """Match a pattern within each part of a path, as glob(7) does."""
    parts, names = pattern.split("/"), name.split("/")
    return len(parts) == len(names) and all(map(_part_matches, parts, names))


def _part_matches(pattern: str, name: str) -> bool:
    if pattern in ("*", name):
        return not name.startswith(".") or pattern == name
    if not any(mark in pattern for mark in "*?["):
        return False
    from fnmatch import fnmatchcase  # 4 ms: only for patterns that are more than a star

    return fnmatchcase(name, pattern.replace("[^", "[!"))

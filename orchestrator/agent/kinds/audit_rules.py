"""``audit_rules``: what the kernel records, now and after the next boot.

At boot, augenrules puts the files of /etc/audit/rules.d together. A container's rules are those of
its host, where nobody sees them: then the files are judged, and what is loaded is not checked.
"""

import os

from .. import audit_text
from ..audit_text import Ruleset
from ..host import Host, Unreadable
from ..keyed import content
from ..resources import audit as kernel
from ..resources import path
from . import Invalid, Judgement, Proposal, Target, printable, unified, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

PHASE = "logging"

_DIRECTORY = "/etc/audit/rules.d"
_MERGED = ("/etc/audit/audit.rules", "/etc/audit/audit.rules.prev")
_AUGENRULES = "/sbin/augenrules"
_RESOURCE = "audit:rules"
_HEAD = "# Managed by luytre (control {}).\n"
_DRESS = {"uid": 0, "gid": 0, "mode": 0o640}
_SHOWN = 10
# useradd(8) of Debian: people's accounts begin here; daemons have no login user at all.
_PROGRAM = "-a always,exit -F path={} -F perm=x -F auid>=1000 -F auid!=unset -k {}"


class Observed:
    """What is wanted of this host, what the files say, and what the kernel has."""

    __slots__ = ("files", "running", "texts", "wanted")

    def __init__(
        self,
        wanted: "List[str]",
        texts: "List[Tuple[str, str]]",
        running: "Optional[Tuple[str, Dict[str, str]]]",
    ) -> None:
        self.wanted = wanted
        self.texts = texts
        self.files = _of_files(texts)
        self.running = None if running is None else _of_kernel(*running)


def walks(want: "Dict[str, Any]") -> "List[Dict[str, Any]]":
    """Return what the walk over the file systems must look for."""
    if not want.get("set_id_programs"):
        return []
    return [{"find": "set-id", "allowed": [], "skip": want.get("skip", [])}]


def observe(want: "Dict[str, Any]", host: Host) -> Observed:
    """Return the rules of the files and of the kernel."""
    texts = host.once("audit-files", lambda: _texts(host))
    running = host.once("audit-loaded", lambda: kernel.loaded(host))
    return Observed(_wanted(want, host), texts, running)


def judge(want: "Dict[str, Any]", observed: Observed) -> Judgement:
    """Return whether the rules would record what is wanted, after a boot and now."""
    at_boot = _missing(observed.wanted, observed.files)
    expected = _shortened(observed.wanted) or "no such programs"
    seen = ["at boot: {}".format(_told(at_boot, observed.files))]
    if observed.running is None:
        told = "not seen in a container: what its host's kernel has loaded"
        verdict = "fail" if at_boot else "not_checked"
        return Judgement(verdict, expected, "; ".join(seen), told)
    now = _missing(observed.wanted, observed.running, running=True)
    seen.append("now: {}".format(_told(now, observed.running)))
    judged = Judgement.of(not at_boot and not now, expected, "; ".join(seen))
    if now and not at_boot and (_is_locked(observed) or _locks(want)):
        judged.pending = True
        judged.detail = "waits for a reboot"
    return judged


def propose(want: "Dict[str, Any]", observed: Observed, target: Target) -> Proposal:
    """Return our file, and what augenrules makes of all files."""
    place = _place(want, target)
    # The loaded rules come first: the way back goes from the end.
    resources = [_RESOURCE, *("path:" + parent for parent in path.missing_parents(place))]
    resources += ["path:" + each for each in (place, *_MERGED)]
    before = dict(observed.texts).get(place, "")
    text = _text(observed, place, target)
    summary = "audit: writes {}".format(place)
    if _locks(want) or _is_locked(observed):
        summary += ", which counts after a reboot"
    return Proposal(summary, resources, diff=unified(place, before, text))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse where what other files say would win."""
    observed = observe(want, target.host)
    place = _place(want, target)
    texts = dict(observed.texts)
    texts[place] = _text(observed, place, target)
    future = _of_files(_ordered(texts))
    left = _missing(observed.wanted, future)
    if left:
        reason = future.broken or "; ".join(rule for rule in _culprits(future)) or left[0]
        raise Invalid("audit: cannot be overridden here: {}".format(reason))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write our file and load all of them; what locks the rules is written after confirm."""
    if not _locks(want):
        _write(want, target)
        _load(want, target)


def persist(want: "Dict[str, Any]", target: Target) -> None:
    """Write what locks the rules: from the next boot on, only a reboot changes them."""
    if _locks(want):
        _write(want, target)
        _merge(target.host)


def _write(want: "Dict[str, Any]", target: Target) -> None:
    observed = observe(want, target.host)
    place = _place(want, target)
    text = _text(observed, place, target)
    if text != dict(observed.texts).get(place, ""):
        path.make_parents(place)
        path.write(place, text.encode("utf-8", "surrogateescape"), _DRESS)


def _merge(host: Host) -> None:
    if os.path.exists(_AUGENRULES):
        host.expect([_AUGENRULES])


def _load(want: "Dict[str, Any]", target: Target) -> None:
    """Load the files; broken lines of others make augenrules complain, so its effect is judged."""
    host = target.host
    running = kernel.loaded(host)
    if running is None or running[1]["-e"] == kernel.LOCKED:
        _merge(host)
        return
    done = host.run([_AUGENRULES, "--load"])
    host.forget()
    if judge(want, observe(want, host)).verdict != "pass":
        raise Unreadable("augenrules: {}".format(done.complaint))


def _place(want: "Dict[str, Any]", target: Target) -> str:
    """Return our file: of rules the first one decides, of switches the last."""
    rank = "00" if all(_is_rule(line) or line == "-c" for line in want["rules"]) else "zz"
    return "{}/{}-luytre-{}.rules".format(_DIRECTORY, rank, target.slot)


def _text(observed: Observed, place: str, target: Target) -> str:
    """Return our file: what the others do not say; a rule said twice would be an error."""
    others = _of_files([each for each in observed.texts if each[0] != place])
    missing = _missing(observed.wanted, others)
    known = {rule.identity for rule in others.rules}
    lines = [
        line
        for line in missing
        if not _is_rule(line) or audit_text.parse(line.split()).identity not in known
    ]
    return _HEAD.format(target.slot) + "".join(line + "\n" for line in lines)


def _wanted(want: "Dict[str, Any]", host: Host) -> "List[str]":
    wanted = list(want["rules"])
    for each in walks(want):
        for program in walk.observe(each, host).paths:
            if printable(program) != program or len(program.split()) != 1:
                raise Unreadable("{}: no rule can name it".format(printable(program)))
            wanted.append(_PROGRAM.format(program, want["key"]))
    return wanted


def _missing(wanted: "List[str]", rules: Ruleset, running: bool = False) -> "List[str]":
    """Return the wanted lines that do not hold."""
    missing = []
    for line in wanted:
        words = line.split()
        if _is_rule(line):
            if rules.lacks(audit_text.parse(words)):
                missing.append(line)
        elif line == "-c":
            if not rules.goes_on and not running:
                missing.append(line)
        elif rules.switches.get(words[0]) != words[1]:
            missing.append(line)
    return missing


def _culprits(rules: Ruleset) -> "List[str]":
    never = [rule for rule in rules.rules if rule.action == "never" or rule.list == "exclude"]
    return ["a rule {},{}".format(rule.action, rule.list) for rule in never[:1]]


def _is_rule(line: str) -> bool:
    return line.split(maxsplit=1)[0] in ("-a", "-A", "-w")


def _locks(want: "Dict[str, Any]") -> bool:
    return "-e 2" in want["rules"]


def _is_locked(observed: Observed) -> bool:
    running = observed.running
    return running is not None and running.switches.get("-e") == kernel.LOCKED


def _told(missing: "List[str]", rules: Ruleset) -> str:
    told = "missing {}".format(_shortened(missing)) if missing else "all as wanted"
    return "{}; refused: {}".format(told, rules.broken) if missing and rules.broken else told


def _shortened(lines: "List[str]") -> str:
    more = len(lines) - _SHOWN
    return " | ".join(lines[:_SHOWN]) + (" … ({} in all)".format(len(lines)) if more > 0 else "")


def _texts(host: Host) -> "List[Tuple[str, str]]":
    names = [name for name in host.names(_DIRECTORY) if name.endswith(".rules")]
    texts = {}
    for name in names:
        # augenrules takes the names apart at blanks, ls leaves hidden ones out.
        if len(name.split()) == 1 and not name.startswith("."):
            place = "{}/{}".format(_DIRECTORY, name)
            texts[place] = (content(host, place) or b"").decode("utf-8", "surrogateescape")
    return _ordered(texts)


def _ordered(texts: "Dict[str, str]") -> "List[Tuple[str, str]]":
    names = audit_text.order(place.rpartition("/")[2] for place in texts)
    return [(place, texts[place]) for place in ("{}/{}".format(_DIRECTORY, n) for n in names)]


def _of_files(texts: "List[Tuple[str, str]]") -> Ruleset:
    rules = Ruleset()
    rules.take(audit_text.merged(texts))
    return rules


def _of_kernel(text: str, switches: "Dict[str, str]") -> Ruleset:
    rules = Ruleset()
    rules.goes_on = True
    rules.take(text.splitlines())
    rules.switches = switches
    return rules

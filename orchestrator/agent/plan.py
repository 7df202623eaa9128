"""What apply would change on this host, and whether it may be changed now. Changes nothing."""

import os
import time

from . import facts, foresee, impacts, kinds, packages, prune, resources
from .audit import chosen_states, judge_control, judge_state, prepare
from .host import Unreadable
from .resources import unit as units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple

    from .host import Host

# Room that a run needs for its journal and for packages, in bytes.
_ROOM = 64 * 1024 * 1024
_CLOCK_SECONDS = 300
# What says, by sd_booted of libsystemd, that systemd is init.
_SYSTEMD = "/run/systemd/system"
# How long others that work with packages are waited for, and how often one looks: apt's own timers
# take a moment of it, in whichever wave a host's turn comes (seconds).
_PATIENCE = 60.0
_POLL_SECONDS = 0.5
_LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock")


def plan(
    manifest: "Dict[str, Any]", host: "Host", key: bytes, leaving: "Optional[Dict[str, Any]]"
) -> "Dict[str, Any]":
    """Return the changes of every control that fails, and why others cannot be planned.

    ``by_hand`` holds those that are left to people on purpose, with what they have to decide.
    ``leaving`` says which controls are to be taken out (see ``prune``); None: none at all. Where
    it names them, they are all that is planned. ``prunes`` are the changes that do so, ``stuck``
    holds those that people have to see to.
    """
    prepare(manifest, host)
    coming = _coming(manifest, host)
    changes: "List[Dict[str, Any]]" = []
    unplanned: "Dict[str, str]" = {}
    by_hand: "Dict[str, str]" = {}
    prunes, stuck = prune.planned(leaving, host, key) if leaving is not None else ([], {})
    for control in manifest["controls"] if leaving is None or "keep" in leaving else ():
        finding = judge_control(control, host)
        soon = finding["verdict"] == "not_applicable" and _becomes(control, coming, host)
        if finding["verdict"] == "error":
            unplanned[control["id"]] = _reason(finding)
        elif finding["verdict"] == "fail" or soon:
            try:
                _validate(control, host, soon)
                changes.append(_change(control, host, key))
            except kinds.ByHand as decision:
                by_hand[control["id"]] = str(decision)
            except (Unreadable, kinds.Invalid, OSError) as problem:
                unplanned[control["id"]] = str(problem)
    foresee.pin(changes, unplanned, host)
    told = {"changes": changes, "unplanned": unplanned, "by_hand": by_hand}
    return dict(told, prunes=prunes, stuck=stuck)


def preflight(host: "Host", now: float) -> "List[str]":
    """Return what stands against a change of this host now; ``now`` is the controller's time."""
    problems = [
        "systemd does not run: {} is missing".format(place)
        for place in (_SYSTEMD, units.ETC)
        if not os.path.isdir(place)
    ]
    for place in ("/", "/var"):
        room = os.statvfs(place)
        if room.f_bavail * room.f_frsize < _ROOM:
            problems.append("{} has less than {} MiB free".format(place, _ROOM >> 20))
    if abs(time.time() - now) > _CLOCK_SECONDS:
        problems.append("the clock is {:.0f} s off".format(time.time() - now))
    problems.extend(problem for problem in (packages.dpkg_problem(host), lock_holder()) if problem)
    return problems


def states_to_change(
    control: "Dict[str, Any]", host: "Host"
) -> "Iterator[Tuple[int, Dict[str, Any]]]":
    """Yield (number, state) of the states that do not hold."""
    for index, state in chosen_states(control, host):
        if judge_state(state, host)["verdict"] not in ("pass", "not_applicable"):
            yield index, state


def _change(control: "Dict[str, Any]", host: "Host", key: bytes) -> "Dict[str, Any]":
    change: "Dict[str, Any]" = {
        "control": control["id"],
        "risk": control.get("risk", "none"),
        "summary": [],
        "diff": "",
        "before": {},
        "activates": [],
        "install": [],
        "remove": [],
        "impacts": [],
    }
    for index, state in states_to_change(control, host):
        kind = kinds.module(state["kind"])
        target = kinds.Target(host, control["id"], index)
        observed = kind.observe(state["want"], host)
        proposal = kind.propose(state["want"], observed, target)
        change["impacts"] += impacts.of(state["kind"], state["want"], observed, target)
        change["summary"].append(proposal.summary)
        change["diff"] += proposal.diff
        change["install"] += proposal.install
        change["remove"] += proposal.remove
        change["activates"] += [a for a in proposal.activate if a not in change["activates"]]
        for resource in proposal.resources:
            change["before"][resource] = resources.digest(
                *resources.capture(resource, host), key=key
            )
    return change


def _validate(control: "Dict[str, Any]", host: "Host", soon: bool) -> None:
    """Let the kinds refuse what would break, or what people must decide.

    Of what is ``soon`` to come with a package, only decisions are known before it is there.
    """
    for index, state in states_to_change(control, host):
        target = kinds.Target(host, control["id"], index)
        try:
            kinds.module(state["kind"]).validate(state["want"], target)
        except (Unreadable, kinds.Invalid, OSError):
            if not soon:
                raise


def _becomes(control: "Dict[str, Any]", coming: "List[str]", host: "Host") -> bool:
    """Return whether a control will concern this host when packages have come."""
    applies = control.get("applies", {})
    return bool(facts.applicable(applies, host)) and not facts.applicable(applies, host, coming)


def _coming(manifest: "Dict[str, Any]", host: "Host") -> "List[str]":
    """Return the packages that this plan will install, for controls that wait for them."""
    coming = []
    for control in manifest["controls"]:
        if facts.applicable(control.get("applies", {}), host):
            continue
        for _, state in chosen_states(control, host):
            if state["kind"] != "package" or state["want"]["state"] != "installed":
                continue
            if state["want"]["name"] not in facts.packages(host):
                coming.append(state["want"]["name"])
    return coming


def _reason(finding: "Dict[str, Any]") -> str:
    return "; ".join(s["detail"] for s in finding["states"] if s["verdict"] == "error")


def await_others(host: "Host", patience: float = _PATIENCE) -> str:
    """Wait until nobody holds apt's locks, so many seconds; return who still does then."""
    deadline = time.monotonic() + patience
    while True:
        held = lock_holder()
        if not held or time.monotonic() > deadline:
            return held
        host.pause(_POLL_SECONDS)


def lock_holder() -> str:
    """Return who holds one of apt's locks, or an empty text."""
    import fcntl
    import struct

    for place in _LOCKS:
        try:
            descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            # struct flock of Linux on 64 bits: type, whence, start, length, pid.
            question = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
        finally:
            os.close(descriptor)
        if answer[0] != fcntl.F_UNLCK:
            told = (place, answer[4], _program(answer[4]))
            return "{} is held by process {} ({})".format(*told)
    return ""


def _program(process: int) -> str:
    """Return the name of a process, a dash where it is gone."""
    try:
        with open("/proc/{}/comm".format(process), "rb") as stream:
            return stream.read().decode("utf-8", "replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return "-"

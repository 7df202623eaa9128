"""Begin, converge, confirm: the way forward of a run on this host."""

import os
import shutil
import time

from . import (
    arm,
    debs,
    facts,
    journal,
    kinds,
    packages,
    plan,
    resources,
    rollback,
    runs,
    settle,
    systemd,
)
from .host import Host, Refused, Unreadable
from .phases import PHASES
from .resources import unit as units
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

# How long a converge may take before the timer takes it back.
CONVERGE_SECONDS = 240
# How long a begin may fetch the packages that it keeps for the way back.
BEGIN_SECONDS = 300
_POLL_SECONDS = 0.05
RESULT = "result.json"
_SSHD_RELOAD = "reload ssh.service"


def begin(request: "Dict[str, Any]", sources: bytes, host: Host) -> "Dict[str, Any]":
    """Lock the host, compare it with the plan, keep what the way back needs. Changes nothing else.

    Raises Refused where the host is held, or where it moved since the plan.
    """
    run = Run(request["run"])
    key = _key(run)
    if run.exists():
        raise Refused("run {} was here before".format(run.name))
    try:
        runs.acquire(run, request["operator"], request["controller"])
    except Refused:
        runs.forget_secrets(run)
        raise
    try:
        stale = _stale(request["changes"], key, host)
        if stale:
            raise Refused("changed since the plan: {}".format(", ".join(stale)))
        runs.private_directory(run.directory)
        arm.save_agent(run, sources)
        run.save("request.json", request)
        journal.record(run, journal.BEFORE, journal.ordered(request["changes"]), host)
        replaced, coming = packages.replaced(request["install"], request["remove"], host)
        debs.keep(replaced, coming, run.path("debs"), host)
        told: "Dict[str, Any]" = {"before": facts.packages(host), "coming": coming}
        told["residue"] = sorted(facts.residue(host))
        run.save("packages.json", dict(told, automatic=packages.automatic(replaced, host)))
        state = {"state": "begun", "run": run.name, "since": time.time(), "activates": []}
        run.reserve_room()
        names = ("operator", "controller", "witness")
        run.save("run.json", dict(state, **{name: request[name] for name in names}))
    except BaseException:
        _forget(run)
        raise
    return {"state": "begun"}


def await_begin(run: Run, host: Host) -> None:
    """Wait until a begin is over that goes on although whoever asked for it is gone."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while runs.holds(run) and not run.exists() and time.monotonic() < deadline:
        host.pause(_POLL_SECONDS)


def busy_with_packages() -> str:
    """Return whose run of ours works with the host's packages now; empty where none does."""
    held = runs.holder()
    if held is None:
        return ""
    found = [run for run in runs.known() if run.name == held["run"]]
    ending = any(run.record()["state"] in ("dropped", "rolling_back") for run in found)
    if not ending and not packages.step_goes_on(held["run"]):
        return ""
    told = "run {run} of {operator} from {controller} works with the packages now: wait for its end"
    return told.format(**held)


def start(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Let converge work in its own unit and wait for what it says.

    Where it ends without a word, the run goes back at once. Raises Refused for a run that has
    converged, or tried to, before: its journal is not written twice.
    """
    run = Run(request["run"])
    _refuse_unless_begun(run)
    try:
        unit = arm.detach(run, "converge", host)
    except Unreadable as problem:
        return {"state": "dropped", "reason": _joined(str(problem), _drop(run, host))}
    try:
        return wait_for(run, RESULT, unit, host)
    except Unreadable as problem:
        unit = arm.detach(run, "expire", host)
        outcome = wait_for(run, rollback.RESULT, unit, host)
        return dict(outcome, reason=_joined(str(problem), outcome["reason"]))


def converge(run: Run, host: Host) -> None:
    """Journal, validate, arm, change, activate; on any failure go back at once.

    What came of it is left in the run's result file.
    """
    _refuse_unless_begun(run)
    try:
        request = run.load("request.json")
        work = list(_work(request, host))
        proposals = [kind.propose(w, kind.observe(w, host), target) for _, kind, w, target in work]
        _journal_again(run, request, proposals, host)
        for _, kind, want, target in work:
            kind.validate(want, target)
        arm.arm(run, request["operator"], CONVERGE_SECONDS, host)
        run.step(["begun"], "armed", term=runs.term(CONVERGE_SECONDS))
    except Exception as problem:  # noqa: BLE001 - whatever it was, nothing has been changed yet
        _tell(run, {"state": "dropped", "reason": _joined(_words(problem), _drop(run, host))})
        return
    try:
        _carry_out(run, work, proposals, host)
        run.step(["armed"], "converged", term=runs.term(request["window"]))
        arm.rearm(run, request["window"], host)
    except Exception as problem:  # noqa: BLE001 - whatever it was, the host goes back
        outcome = _back(run, host)
        _tell(run, dict(outcome, reason=_joined(_words(problem), outcome["reason"])))
        return
    _tell(run, {"state": "converged", "reason": "", "changed": sorted(request["changes"])})


def _refuse_unless_begun(run: Run) -> None:
    state = run.record()["state"]
    if state != "begun":
        raise Refused("run {} is {}".format(run.name, state))


def _drop(run: Run, host: Host) -> str:
    try:
        return rollback.drop(run, host, put_packages_back=True)
    except Refused as problem:
        return str(problem)


def _back(run: Run, host: Host) -> "Dict[str, Any]":
    try:
        return rollback.revert(run, ["armed", "converged"], host)
    except Refused as problem:
        return {"state": run.record()["state"], "reason": str(problem)}


def _words(problem: Exception) -> str:
    if isinstance(problem, (Unreadable, kinds.Invalid, kinds.ByHand, Refused, OSError)):
        return str(problem)
    return "{}: {}".format(type(problem).__name__, problem)


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def confirm(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Keep the change: the operator has proved a fresh login. Then persist, disarm, unlock.

    Raises Refused where the run is not waiting for it (it has gone back already).
    """
    run = Run(request["run"])
    asked = run.load("request.json")
    if run.record()["state"] != "confirmed":
        settle.prepare(run, asked, host)
        # Closing: the removals are still to come, and the host stays held for them.
        more = {"confirmed": time.time(), "closing": bool(asked["remove"]), "settling": True}
        run.step(["converged"], "confirmed", term=runs.term(runs.STALE_SECONDS), **more)
    return {"state": "confirmed", "problems": settle.settle(run, host)}


def await_confirm(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Wait until the run was confirmed and is settled; raises Refused when it goes back instead.

    Settling mounts file systems: nobody may work with packages below them meanwhile.
    """
    run = Run(request["run"])
    deadline = time.monotonic() + CONVERGE_SECONDS
    while time.monotonic() < deadline:
        state = run.record()["state"]
        if state == "confirmed":
            settle.settle(run, host)
            return {"state": state}
        if state not in ("armed", "converged"):
            raise Refused("run {} is {}".format(run.name, state))
        host.pause(_POLL_SECONDS)
    raise Refused("run {} was not confirmed".format(run.name))


def finish(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Close a confirmed run whose packages were removed after confirm."""
    run = Run(request["run"])
    settle.settle(run, host)
    run.step(["confirmed"], "confirmed", closing=False)
    run.save("packages.json", dict(run.load("packages.json"), after=facts.packages(host)))
    run.save(journal.AFTER, journal.digests(run, host))
    runs.release(run)
    return {"state": "confirmed", "problems": []}


def _forget(run: Run) -> None:
    """Forget a run that came to nothing, and give the lock back."""
    shutil.rmtree(run.directory, ignore_errors=True)
    runs.release(run)


def wait_for(run: Run, name: str, unit: str, host: Host) -> "Dict[str, Any]":
    """Return what a detached work wrote; raises Unreadable where it ended without a word."""
    deadline = time.monotonic() + rollback.SECONDS
    while time.monotonic() < deadline:
        running = systemd.unit_states(host, [unit])[unit].active in units.RUNNING
        if os.path.exists(run.path(name)):
            return run.load(name)
        if not running:
            raise Unreadable("{} ended without a word".format(unit))
        host.pause(_POLL_SECONDS)
    raise Unreadable("{}: no result after {:g} s".format(unit, rollback.SECONDS))


def _work(
    request: "Dict[str, Any]", host: Host
) -> "Iterator[Tuple[str, Any, Dict[str, Any], kinds.Target]]":
    """Yield (control, kind, want, target) of the states to change, in the order of phases."""
    found = []
    for control in request["manifest"]["controls"]:
        if control["id"] in request["changes"]:
            found += [(control, *numbered) for numbered in plan.states_to_change(control, host)]
    for phase in PHASES:
        for control, index, state in found:
            if phase == kinds.module(state["kind"]).PHASE:
                target = kinds.Target(host, control["id"], index)
                yield control["id"], kinds.module(state["kind"]), state["want"], target


def _carry_out(
    run: Run,
    work: "List[Tuple[str, Any, Dict[str, Any], kinds.Target]]",
    proposals: "List[kinds.Proposal]",
    host: Host,
) -> None:
    activates: "List[str]" = []
    for proposal in proposals:
        activates += [verb for verb in proposal.activate if verb not in activates]
    # Written before the first change: the way back activates the same units.
    running = rollback.running(activates, host)
    run.step(["armed"], "armed", activates=activates, running=running)
    for control, kind, want, target in work:
        if run.record()["state"] != "armed":
            raise Refused("run {} is {}".format(run.name, run.record()["state"]))
        try:
            kind.converge(want, target)
        except (Unreadable, kinds.Invalid, OSError) as problem:
            raise Unreadable("{}: {}".format(control, problem)) from None
        host.forget()
    for _, kind, want, target in work:
        # Setting one kernel parameter resets others (ip_forward those of redirects).
        if kind is kinds.module("sysctl"):
            kind.converge(want, target)
    if _SSHD_RELOAD in activates:
        host.expect(["/usr/sbin/sshd", "-t"])
    rollback.activate(activates, host)


def _journal_again(
    run: Run, request: "Dict[str, Any]", proposals: "List[kinds.Proposal]", host: Host
) -> None:
    """Journal what the packages step left; refuse where anything else moved meanwhile.

    A package that came may have brought what the plan could not know of (units that are enabled
    together): the proposals of now name it.
    """
    touched = journal.ordered(request["changes"])
    for proposal in proposals:
        touched += [resource for resource in proposal.resources if resource not in touched]
    journal.record(run, journal.JOURNAL, touched, host)
    if not request["install"]:
        key = _key(run)
        stale = _stale(request["changes"], key, host)
        if stale:
            raise Refused("changed since begin: {}".format(", ".join(stale)))
    run.save("packages.json", dict(run.load("packages.json"), after=facts.packages(host)))


def _stale(changes: "Dict[str, Dict[str, str]]", key: bytes, host: Host) -> "List[str]":
    return [
        resource
        for before in changes.values()
        for resource, digest in before.items()
        if resources.digest(*resources.capture(resource, host), key=key) != digest
    ]


def _key(run: Run) -> bytes:
    """Return the key of the plan's digests, which preflight left in memory for this run."""
    import json

    place = "{}/{}".format(runs.SECRETS, run.name)
    try:
        with open(place, "rb") as stream:
            return bytes.fromhex(json.loads(stream.read().decode())["digest_key"])
    except FileNotFoundError:
        raise Refused("no preflight of run {} on this host".format(run.name)) from None


def _tell(run: Run, result: "Dict[str, Any]") -> None:
    run.save(RESULT, result)

"""Begin, converge, confirm: the way forward of a run on this host."""

import os
import shutil
import time

from . import arm, facts, journal, kinds, packages, plan, resources, rollback, runs
from .host import Host, Refused, Unreadable
from .phases import PHASE_OF, PHASES
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

# How long a converge may take before the timer takes it back.
CONVERGE_SECONDS = 240
_POLL_SECONDS = 0.05
RESULT = "result.json"
_SSHD_RELOAD = "reload ssh.service"


def begin(request: "Dict[str, Any]", sources: bytes, host: Host) -> "Dict[str, Any]":
    """Lock the host, compare it with the plan, keep what the way back needs. Changes nothing else.

    Raises Refused where the host is held, or where it moved since the plan.
    """
    run = Run(request["run"])
    key = _key(run)
    try:
        runs.acquire(run, request["operator"], request["controller"])
    except Refused:
        runs.forget_secrets(run)
        raise
    try:
        stale = _stale(request["changes"], key, host)
        if stale:
            raise Refused("changed since the plan: {}".format(", ".join(stale)))
        if run.exists():
            raise Refused("run {} was here before".format(run.name))
        runs.private_directory(run.directory)
        arm.save_agent(run, sources)
        run.save("request.json", request)
        journal.record(run, journal.BEFORE, journal.ordered(request["changes"]), host)
        packages.keep(_replaced(request, host), run.path("debs"), host)
        run.save("packages.json", {"before": facts.packages(host)})
        state = {"state": "begun", "run": run.name, "since": time.time(), "activates": []}
        run.save("run.json", dict(state, operator=request["operator"], witness=request["witness"]))
    except BaseException:
        drop(run)
        raise
    return {"state": "begun"}


def start(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Let converge work in its own unit and wait for what it says."""
    run = Run(request["run"])
    run.record()
    unit = arm.detach(run, "converge", host)
    return wait_for(run, RESULT, unit, CONVERGE_SECONDS)


def converge(run: Run, host: Host) -> None:
    """Journal, validate, arm, change, activate; on any failure go back at once.

    What came of it is left in the run's result file.
    """
    try:
        request = run.load("request.json")
        _journal_again(run, request, host)
        work = list(_work(request, host))
        for _, kind, want, target in work:
            kind.validate(want, target)
    except (Unreadable, kinds.Invalid, Refused, OSError) as problem:
        drop(run)
        _tell(run, {"state": "dropped", "reason": str(problem)})
        return
    arm.arm(run, request["operator"], CONVERGE_SECONDS, host)
    run.step(["begun"], "armed")
    try:
        _carry_out(run, work, host)
        run.step(["armed"], "converged")
        arm.rearm(run, request["window"], host)
    except (Unreadable, kinds.Invalid, OSError) as problem:
        outcome = rollback.revert(run, ["armed", "converged"], host)
        _tell(run, dict(outcome, reason="{}; {}".format(problem, outcome["reason"])))
        return
    except Refused as problem:
        _tell(run, {"state": "rolled_back", "reason": str(problem)})
        return
    _tell(run, {"state": "converged", "reason": "", "changed": sorted(request["changes"])})


def confirm(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Keep the change: the operator has proved a fresh login. Then persist, disarm, unlock.

    Raises Refused where the run is not waiting for it (it has gone back already).
    """
    run = Run(request["run"])
    record = run.record()
    if record["state"] != "confirmed":
        record = run.step(["converged"], "confirmed", confirmed=time.time())
    problems = []
    asked = run.load("request.json")
    for control, kind, want, target in _wishes(asked, host):
        if hasattr(kind, "persist"):
            try:
                kind.persist(want, target)
            except (Unreadable, OSError) as problem:
                problems.append("{}: {}".format(control, problem))
    host.forget()
    run.save(journal.AFTER, _digests(run, host))
    arm.disarm(run, host)
    if not asked["remove"]:
        runs.release(run)
    return {"state": "confirmed", "problems": problems}


def await_confirm(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Wait until the run was confirmed; raises Refused when it goes back instead."""
    run = Run(request["run"])
    deadline = time.monotonic() + CONVERGE_SECONDS
    while time.monotonic() < deadline:
        state = run.record()["state"]
        if state == "confirmed":
            return {"state": state}
        if state not in ("armed", "converged"):
            raise Refused("run {} is {}".format(run.name, state))
        time.sleep(_POLL_SECONDS)
    raise Refused("run {} was not confirmed".format(run.name))


def finish(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Close a confirmed run whose packages were removed after confirm."""
    run = Run(request["run"])
    run.step(["confirmed"], "confirmed")
    run.save("packages.json", dict(run.load("packages.json"), after=facts.packages(host)))
    run.save(journal.AFTER, _digests(run, host))
    runs.release(run)
    return {"state": "confirmed", "problems": []}


def drop(run: Run) -> None:
    """Forget a run that changed nothing, and give the lock back."""
    held = runs.holder()
    if held and held["run"] == run.name:
        runs.release(run)
        if run.exists():
            run.step(["begun"], "dropped")
        else:
            shutil.rmtree(run.directory, ignore_errors=True)


def wait_for(run: Run, name: str, unit: str, seconds: float) -> "Dict[str, Any]":
    """Return what a detached work wrote; raises Unreadable where it ended without a word."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.path.exists(run.path(name)):
            return run.load(name)
        time.sleep(_POLL_SECONDS)
    raise Unreadable("{}: no result after {:g} s".format(unit, seconds))


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
            if phase == PHASE_OF[state["kind"]]:
                target = kinds.Target(host, control["id"], index)
                yield control["id"], kinds.module(state["kind"]), state["want"], target


def _wishes(
    request: "Dict[str, Any]", host: Host
) -> "Iterator[Tuple[str, Any, Dict[str, Any], kinds.Target]]":
    """Yield every state of the changed controls, held or not."""
    from .audit import chosen_states

    for control in request["manifest"]["controls"]:
        if control["id"] in request["changes"]:
            for index, state in chosen_states(control, host):
                target = kinds.Target(host, control["id"], index)
                yield control["id"], kinds.module(state["kind"]), state["want"], target


def _carry_out(
    run: Run, work: "List[Tuple[str, Any, Dict[str, Any], kinds.Target]]", host: Host
) -> None:
    activates: "List[str]" = []
    for _, kind, want, target in work:
        proposal = kind.propose(want, kind.observe(want, host), target)
        activates += [verb for verb in proposal.activate if verb not in activates]
    # Written before the first change: the way back activates the same units.
    run.step(["armed"], "armed", activates=activates)
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


def _journal_again(run: Run, request: "Dict[str, Any]", host: Host) -> None:
    """Journal what the packages step left; refuse where anything else moved meanwhile."""
    touched = journal.ordered(request["changes"])
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


def _digests(run: Run, host: Host) -> "Dict[str, str]":
    touched = journal.ordered(run.load("request.json")["changes"])
    return {r: resources.digest(*resources.capture(r, host), key=b"") for r in touched}


def _replaced(request: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return the installed packages that the run will replace or remove."""
    return [
        name for name in (*request["install"], *request["remove"]) if name in facts.packages(host)
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

"""Begin, confirm and finish a run on this host; between them it converges (``converge``)."""

import shutil
import time

from . import (
    arm,
    converge,
    debs,
    discard,
    facts,
    journal,
    owned,
    packages,
    prune,
    runs,
    settle,
)
from .host import Host, Refused
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict

# How long a begin may fetch the packages that it keeps for the way back.
BEGIN_SECONDS = 300
_POLL_SECONDS = 0.05


def begin(
    request: "Dict[str, Any]", sources: bytes, code: "Dict[str, CodeType]", host: Host
) -> "Dict[str, Any]":
    """Lock the host, compare it with the plan, keep what the way back needs. Changes nothing else.

    Raises Refused where the host is held, or where it moved since the plan.
    """
    run = Run(request["run"])
    # A run may be prepared and begun by hand: what was seen of the host so long ago counts no more.
    runs.forget_stale_secrets()
    key = runs.digest_key(run)
    if run.exists():
        raise Refused("run {} was here before".format(run.name))
    try:
        runs.acquire(run, request["operator"], request["controller"])
    except Refused:
        runs.forget_secrets(run)
        raise
    try:
        stale = journal.stale(request["changes"], key, host)
        if stale:
            raise Refused("changed since the plan: {}".format(", ".join(stale)))
        prune.refuse_if_moved(request["prunes"], request["changes"])
        discard.discard(request["journal_days"])
        runs.private_directory(run.directory)
        arm.save_agent(run, sources, code)
        run.save("request.json", request)
        journal.record(run, journal.BEFORE, journal.ordered(request["changes"]), host)
        replaced, coming = packages.replaced(request["install"], request["remove"], host)
        debs.keep(replaced, run.path("debs"), host)
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
    window = run.load("request.json")["window"]
    deadline = time.monotonic() + window + converge.CONVERGE_SECONDS
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
    """Close a confirmed run whose packages were removed after confirm.

    Raises Unreadable where apt, whose connection may be gone, does not come to its end.
    """
    run = Run(request["run"])
    packages.await_step(run.name, host)
    problems = settle.settle(run, host)
    run.step(["confirmed"], "confirmed", closing=False)
    run.save("packages.json", dict(run.load("packages.json"), after=facts.packages(host)))
    run.save(journal.AFTER, journal.digests(run, host))
    owned.take_over(run)
    runs.release(run)
    return {"state": "confirmed", "problems": problems}


def _forget(run: Run) -> None:
    """Forget a run that came to nothing, and give the lock back."""
    shutil.rmtree(run.directory, ignore_errors=True)
    runs.release(run)

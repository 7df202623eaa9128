"""Converge: journal, validate, arm, change and activate, in a unit of its own on the host."""

from . import (
    arm,
    facts,
    journal,
    kinds,
    owned,
    packages,
    plan,
    prune,
    resources,
    rollback,
    runs,
)
from .host import Host, Refused, Unreadable
from .phases import PHASES
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set

    Document = Dict[str, Any]

# How long a converge may take before the timer takes it back.
CONVERGE_SECONDS = 240
RESULT = "result.json"
_SSHD_RELOAD = "reload ssh.service"


class Item:
    """One state to change: the control that wants it, its kind, its place, what it proposes."""

    __slots__ = ("control", "kind", "proposal", "risk", "target", "want")

    def __init__(self, control: "Document", state: "Document", target: kinds.Target) -> None:
        self.control = control["id"]
        self.risk = control.get("risk", "none")
        self.kind = kinds.module(state["kind"])
        self.want = state["want"]
        self.target = target
        observed = self.kind.observe(self.want, target.host)
        self.proposal: "kinds.Proposal" = self.kind.propose(self.want, observed, target)


def start(request: "Document", host: Host) -> "Document":
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
        return arm.wait_for(run, RESULT, unit, host)
    except Unreadable as problem:
        unit = arm.detach(run, "expire", host)
        outcome = arm.wait_for(run, rollback.RESULT, unit, host)
        return dict(outcome, reason=_joined(str(problem), outcome["reason"]))


def converge(run: Run, host: Host) -> None:
    """Journal, validate, arm, change, activate; on any failure go back at once.

    What came of it is left in the run's result file.
    """
    _refuse_unless_begun(run)
    try:
        request = run.load("request.json")
        packages.require_installed(request["install"], host)
        work = _work(request["manifest"], request["changes"], host)
        _journal_again(run, request, work, host)
        for item in work:
            item.kind.validate(item.want, item.target)
        arm.arm(run, request["operator"], CONVERGE_SECONDS, host)
        run.step(["begun"], "armed", term=runs.term(CONVERGE_SECONDS))
    except Exception as problem:  # noqa: BLE001 - whatever it was, nothing has been changed yet
        _tell(run, {"state": "dropped", "reason": _joined(_words(problem), _drop(run, host))})
        return
    try:
        _carry_out(run, work, host)
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
        return rollback.drop(run, host)
    except Refused as problem:
        return str(problem)


def _back(run: Run, host: Host) -> "Document":
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


def _work(manifest: "Document", controls: "Iterable[str]", host: Host) -> "List[Item]":
    """Return the states to change of some controls, in the order of phases."""
    wanted = set(controls)
    found = []
    for control in manifest["controls"]:
        if control["id"] in wanted:
            found += [(control, *numbered) for numbered in plan.states_to_change(control, host)]
    return [
        Item(control, state, kinds.Target(host, control["id"], index))
        for phase in PHASES
        for control, index, state in found
        if phase == kinds.module(state["kind"]).PHASE
    ]


def _carry_out(run: Run, work: "List[Item]", host: Host) -> None:
    request = run.load("request.json")
    pruned = request["prunes"]
    _will_activate(run, prune.activated(pruned) + _verbs(work), host)
    if pruned:
        held = prune.holding(request["manifest"], host)
        prune.take_out(pruned, host)
        _converge_all(run, work, host)
        work = work + _set_again(run, request["manifest"], held, host)
    else:
        _converge_all(run, work, host)
    owned.claim(run, _claims(request["changes"], work), pruned)
    verbs = run.record()["activates"]
    if _SSHD_RELOAD in verbs:
        host.expect(["/usr/sbin/sshd", "-t"])
    rollback.activate(verbs, host)


def _verbs(work: "List[Item]") -> "List[str]":
    return [verb for item in work for verb in item.proposal.activate]


def _will_activate(run: Run, verbs: "List[str]", host: Host) -> None:
    """Write down, before the change, what is to be activated: the way back does the same."""
    record = run.record()
    touched = [entry["resource"] for entry in journal.entries(run, journal.JOURNAL)]
    known = record["activates"] + verbs + rollback.read_by_manager(touched)
    activates = list(dict.fromkeys(known))
    running = list(dict.fromkeys(record.get("running", []) + rollback.running(activates, host)))
    run.step(["armed"], "armed", activates=activates, running=running)


def _converge_all(run: Run, work: "List[Item]", host: Host) -> None:
    for item in work:
        if run.record()["state"] != "armed":
            raise Refused("run {} is {}".format(run.name, run.record()["state"]))
        try:
            item.kind.converge(item.want, item.target)
        except (Unreadable, kinds.Invalid, OSError) as problem:
            raise Unreadable("{}: {}".format(item.control, problem)) from None
        host.forget()
    for item in work:
        # Setting one kernel parameter resets others (ip_forward those of redirects).
        if item.kind is kinds.module("sysctl"):
            item.kind.converge(item.want, item.target)


def _set_again(run: Run, manifest: "Document", held: "Set[str]", host: Host) -> "List[Item]":
    """Set what controls that stay have lost with those that were taken out."""
    host.forget()
    work = _work(manifest, prune.fallen(manifest, held, host), host)
    journal.extend(run, [r for item in work for r in item.proposal.resources], host)
    for item in work:
        item.kind.validate(item.want, item.target)
    _will_activate(run, _verbs(work), host)
    _converge_all(run, work, host)
    return work


def _claims(changes: "Dict[str, Dict[str, str]]", work: "List[Item]") -> "Dict[str, Document]":
    """Return by control what a run makes its own."""
    found: "Dict[str, Document]" = {}
    for item in work:
        fresh = {"resources": [], "shown": [], "activates": [], "risk": item.risk}
        its = found.setdefault(item.control, fresh)
        for resource in [*changes.get(item.control, ()), *item.proposal.resources]:
            if resource not in its["resources"]:
                its["resources"].append(resource)
            if kinds.shows(item.proposal.diff, resources.split(resource)[1]):
                its["shown"].append(resource)
        its["activates"] += [v for v in item.proposal.activate if v not in its["activates"]]
    return found


def _journal_again(run: Run, request: "Document", work: "List[Item]", host: Host) -> None:
    """Journal what the packages step left; refuse where anything else moved meanwhile.

    A package that came may have brought what the plan could not know of (units that are enabled
    together): the proposals of now name it.
    """
    prune.refuse_if_moved(request["prunes"], request["changes"])
    touched = journal.ordered(request["changes"])
    for item in work:
        touched += [r for r in item.proposal.resources if r not in touched]
    journal.record(run, journal.JOURNAL, touched, host)
    if not request["install"]:
        key = runs.digest_key(run)
        stale = journal.stale(request["changes"], key, host)
        if stale:
            raise Refused("changed since begin: {}".format(", ".join(stale)))
    kept = run.load("packages.json")
    run.save("packages.json", dict(kept, after=facts.packages(host)))
    if request["install"]:
        # What is brought up to date by its name would count as wanted for itself from now on.
        packages.mark_automatic(kept["automatic"], host)


def _tell(run: Run, result: "Document") -> None:
    run.save(RESULT, result)

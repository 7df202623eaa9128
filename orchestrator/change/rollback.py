"""Take runs back on their hosts: over SSH alone, no Ansible needed."""

from collections.abc import Callable, Sequence

from orchestrator.change.outcomes import outcome_of_error, way_back_failed
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _

ROLLBACK_SECONDS = 660.0


def roll_back_run(
    fleet: Fleet, hosts: Sequence[ManagedHost], run: str, *, force: bool = False
) -> list[HostOutcome]:
    """Take one run back on every host, in the order given."""
    return _each(fleet, hosts, lambda host: take_back(fleet, host, run, force=force))


def roll_back_hosts(
    fleet: Fleet, hosts: Sequence[ManagedHost], *, force: bool = False
) -> list[HostOutcome]:
    """Take every run back on the hosts, the newest first: as they were before Lũy Tre."""
    return _each(fleet, hosts, lambda host: _take_all_back(fleet, host, force=force))


def take_back(fleet: Fleet, host: ManagedHost, run: str, *, force: bool) -> HostOutcome:
    """Take one run back on one host and say how it ended. Never raises HostError."""
    request = {"operation": "rollback", "run": run, "force": force}
    try:
        with fleet.login(host) as login:
            result = ask(login, request, seconds=ROLLBACK_SECONDS).result
    except HostError as problem:
        return outcome_of_error(problem)
    return _outcome(host.name, str(result.get("state")), str(result.get("reason")))


def _take_all_back(fleet: Fleet, host: ManagedHost, *, force: bool) -> HostOutcome:
    try:
        with fleet.login(host) as login:
            told = ask(login, {"operation": "status"}).result
    except HostError as problem:
        return outcome_of_error(problem)
    known = told.get("runs", {}).get("known", [])
    standing = ("begun", "armed", "converged", "confirmed", "rolling_back", "broken")
    runs = [str(item["run"]) for item in known if item.get("state") in standing or item.get("left")]
    taken: list[str] = []
    for run in runs:
        outcome = take_back(fleet, host, run, force=force)
        if outcome.outcome is not Outcome.ROLLED_BACK:
            reason = _("{n} runs taken back, then: {reason}")
            told_reason = reason.format(n=len(taken), reason=outcome.reason)
            return HostOutcome(host.name, outcome.outcome, told_reason, tuple(taken))
        taken.append(run)
    if not taken:
        return HostOutcome(host.name, Outcome.UNCHANGED, _("no run stands on it"))
    return HostOutcome(host.name, Outcome.ROLLED_BACK, "", tuple(taken))


def _each(
    fleet: Fleet, hosts: Sequence[ManagedHost], work: Callable[[ManagedHost], HostOutcome]
) -> list[HostOutcome]:
    outcomes = []
    for outcome in over_hosts(hosts, work, fleet.concurrency):
        if isinstance(outcome, HostError):
            raise outcome
        outcomes.append(outcome)
    return outcomes


def _outcome(host: str, state: str, reason: str) -> HostOutcome:
    if state == "rolled_back":
        return HostOutcome(host, Outcome.ROLLED_BACK, reason)
    if state == "refused":
        return HostOutcome(host, Outcome.REFUSED, reason)
    return HostOutcome(host, Outcome.FAILED, way_back_failed(host, reason))

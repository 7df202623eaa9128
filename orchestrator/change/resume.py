"""Resume: what became of the hosts of an apply that nobody saw to its end, as they tell it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.change.confirm import state_of
from orchestrator.change.confirmed import closed
from orchestrator.change.outcomes import outcome_of_error, way_back_failed
from orchestrator.change.own_roles import seen_by_nobody
from orchestrator.change.rollback import take_back
from orchestrator.drift.underway import taken_up
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import lock_holder
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.record import HostRun, Run, RunKind, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_SECONDS = 60.0
# Nobody saw how these ended.
OPEN = (None, Outcome.INTERRUPTED, Outcome.UNREACHABLE)


@contextmanager
def resumable(
    workspace: Workspace, store: "Store", run: str
) -> Iterator[tuple[Run, tuple[HostRun, ...]]]:
    """Yield an apply that nobody works on any more, and its hosts; hold it until the block ends.

    Raises ConfigurationError where there is no such apply, RefusedError while it is under way.
    """
    record = store.run(run)
    if record.kind is not RunKind.APPLY:
        message = _("run {run} is not an apply but: {kind}; only an apply can be resumed")
        raise ConfigurationError(message.format(run=run, kind=record.kind.value))
    with taken_up(workspace, run):
        yield record, store.run_hosts(run)


@dataclass(frozen=True)
class Seen:
    """What a host says of a run; ``known`` is false where nobody can tell yet how it ended."""

    outcome: HostOutcome
    known: bool = True


def settle_run(
    workspace: Workspace,
    store: "Store",
    run: Run,
    hosts: Sequence[HostRun],
    reached: tuple[Fleet, Sequence[ManagedHost]],
) -> list[HostOutcome]:
    """Find out how the hosts ended of which nobody knows, and record it; return those outcomes.

    What is half done goes back. A host that does not say how it ended stays open, and so does one
    that is not among the managed hosts any more. ``reached`` are the fleet and the managed hosts.
    The audit log tells that it was asked for.
    """
    fleet, managed = reached
    open_ = {one.host for one in hosts if one.outcome in OPEN}
    asked = [host for host in managed if host.name in open_]
    detail = {"run": run.id, "hosts": sorted(open_)}
    store.log.append(workspace.settings.operator.name, "apply resumed", detail)
    told = over_hosts(asked, lambda host: how_it_ended(fleet, host, run.id), fleet.concurrency)
    seen = [
        Seen(outcome_of_error(one), known=False) if isinstance(one, HostError) else one
        for one in told
    ]
    steps = {one.host: one.step for one in hosts}
    roles = workspace.settings.own_roles
    seen = [
        replace(one, outcome=seen_by_nobody(one.outcome, steps[one.outcome.host], roles))
        for one in seen
    ]
    for one in seen:
        if one.known:
            store.save_host_outcome(run.id, one.outcome)
    if run.status is RunStatus.RUNNING:
        store.finish_run(run.id, RunStatus.INTERRUPTED)
    lost = _("not asked: it is not among the managed hosts of the inventory any more")
    names = sorted(open_ - {host.name for host in asked})
    return [
        *(one.outcome for one in seen),
        *(HostOutcome(name, Outcome.FAILED, lost) for name in names),
    ]


def how_it_ended(fleet: Fleet, host: ManagedHost, run: str) -> Seen:
    """Return how a run ended on its host, by what the host says; raises HostError.

    A run that was not confirmed is taken back: whoever would have confirmed it is gone.
    """
    with fleet.login(host) as login:
        told = ask(login, {"operation": "status"}, seconds=_SECONDS).result
        state, holding = state_of(host.name, told, run), lock_holder(host.name, told) == run
        if state == "confirmed":
            return Seen(closed(login, run))
    # A run that still begins has the lock, and no record yet.
    if state == "unknown" and not holding:
        return Seen(HostOutcome(host.name, Outcome.NOT_STARTED, _("the run never came to it")))
    if state == "broken":
        why = way_back_failed(host.name, _("its controller was gone"))
        return Seen(HostOutcome(host.name, Outcome.FAILED, why))
    # While it still holds the host, its packages may be on their way back: that is waited for.
    if state in ("rolled_back", "dropped") and not holding:
        return Seen(HostOutcome(host.name, Outcome.ROLLED_BACK, _("it had gone back already")))
    taken = take_back(fleet, host, run, force=False, abandoned=True)
    if taken.outcome is not Outcome.ROLLED_BACK:
        return Seen(taken, known=False)
    was = in_words("begun" if state == "unknown" else state)
    reason = _("it was {state} when its controller was gone").format(state=was)
    return Seen(HostOutcome(host.name, Outcome.ROLLED_BACK, reason))

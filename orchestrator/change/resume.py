"""Resume: what became of the hosts of an apply whose controller was killed, as they tell it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.change.confirm import state_of
from orchestrator.change.outcomes import outcome_of_error, way_back_failed
from orchestrator.change.rollback import take_back
from orchestrator.drift.underway import is_under_way
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import lock_holder
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, HostError, RefusedError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.record import HostRun, Run, RunKind, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_SECONDS = 60.0
# Nobody saw how these ended.
_OPEN = (None, Outcome.INTERRUPTED)


def resumable(workspace: Workspace, store: "Store", run: str) -> tuple[Run, tuple[HostRun, ...]]:
    """Return an apply that nobody works on any more, and its hosts.

    Raises ConfigurationError where there is no such apply, RefusedError while it is under way.
    """
    record = store.run(run)
    if record.kind is not RunKind.APPLY:
        message = _("run {run} is not an apply but: {kind}; only an apply can be resumed")
        raise ConfigurationError(message.format(run=run, kind=record.kind.value))
    if is_under_way(workspace, run):
        raise RefusedError(_("run {run} is under way: a process works on it").format(run=run))
    return record, store.run_hosts(run)


def settle_run(
    workspace: Workspace,
    store: "Store",
    run: Run,
    hosts: Sequence[HostRun],
    reached: tuple[Fleet, Sequence[ManagedHost]],
) -> list[HostOutcome]:
    """Find out how the hosts ended of which nobody knows, and record it; return those outcomes.

    What is half done goes back; a host that is not reached stays open. ``reached`` are the fleet
    and the hosts of the inventory. The audit log tells that it was asked for.
    """
    fleet, inventory = reached
    open_ = {one.host for one in hosts if one.outcome in _OPEN}
    asked = [host for host in inventory if host.name in open_]
    store.log.append(
        workspace.settings.operator.name,
        "apply resumed",
        {"run": run.id, "hosts": sorted(host.name for host in asked)},
    )
    found = over_hosts(asked, lambda host: how_it_ended(fleet, host, run.id), fleet.concurrency)
    outcomes = [outcome_of_error(one) if isinstance(one, HostError) else one for one in found]
    for outcome in outcomes:
        if outcome.outcome is not Outcome.UNREACHABLE:
            store.save_host_outcome(run.id, outcome)
    if run.status is RunStatus.RUNNING:
        store.finish_run(run.id, RunStatus.INTERRUPTED)
    return outcomes


def how_it_ended(fleet: Fleet, host: ManagedHost, run: str) -> HostOutcome:
    """Return how a run ended on its host, by what the host says; raises HostError.

    A run that was not confirmed is taken back: whoever would have confirmed it is gone.
    """
    with fleet.login(host) as login:
        told = ask(login, {"operation": "status"}, seconds=_SECONDS).result
        state = state_of(host.name, told, run)
        if state == "confirmed" and lock_holder(host.name, told) == run:
            # Removals were to follow; the next plan has them.
            ask(login, {"operation": "finish", "run": run}, seconds=_SECONDS)
    if state == "unknown":
        return HostOutcome(host.name, Outcome.NOT_STARTED, _("the run never came to it"))
    if state == "confirmed":
        return HostOutcome(host.name, Outcome.CONFIRMED)
    if state == "broken":
        why = _("its controller was gone")
        return HostOutcome(host.name, Outcome.FAILED, way_back_failed(host.name, why))
    if state in ("rolled_back", "dropped"):
        reason = _("took itself back: {why}").format(why=_("its controller was gone"))
        return HostOutcome(host.name, Outcome.ROLLED_BACK, reason)
    taken = take_back(fleet, host, run, force=False, abandoned=True)
    if taken.outcome is not Outcome.ROLLED_BACK:
        return taken
    reason = _("it was {state} when its controller was gone").format(state=in_words(state))
    return HostOutcome(host.name, Outcome.ROLLED_BACK, reason)

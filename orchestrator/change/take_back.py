"""A recorded rollback: which hosts it concerns, what it may touch, how each of them ended."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.change import by_hand
from orchestrator.change.interrupted import InterruptedRun
from orchestrator.change.outcomes import outcome_of_error
from orchestrator.change.recorded import Save, keep_left, recorded
from orchestrator.change.rollback import Mandate, Survey, TakenBack, roll_back
from orchestrator.drift.underway import as_they_are, is_under_way
from orchestrator.fleet.agent import Fleet
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, ControllerError, HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunKind, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_MANY = 1000


def mandate_of(workspace: Workspace, store: "Store", run: str | None, *, force: bool) -> Mandate:
    """Return what a rollback from this workspace takes back, and what it may touch.

    A run that this workspace started and works on no more is abandoned, whatever its hosts think.
    One that somebody plays by hand is not: nobody here sees that, and its hosts know its term.
    """

    def abandoned(run: str) -> bool:
        try:
            store.run(run)
        except ConfigurationError:
            return False  # another controller's
        if by_hand.directory_of(workspace, run) is not None:
            return False
        return not is_under_way(workspace, run)

    return Mandate(run, force, abandoned)


def abandoned_applies(workspace: Workspace, store: "Store") -> tuple[str, ...]:
    """Return the applies of this workspace whose process is gone before it wrote their end."""
    running = as_they_are(workspace, store.runs(_MANY, RunStatus.RUNNING))
    return tuple(
        run.id
        for run in running
        if run.kind is RunKind.APPLY and run.status is RunStatus.INTERRUPTED
    )


def sort_out(
    store: "Store", found: Sequence[Survey | HostError], run: str | None
) -> tuple[list[Survey], list[HostOutcome]]:
    """Return the surveys with something to take back, and the outcomes of the other hosts."""
    recorded_as = {one.host: one.outcome for one in store.run_hosts(run)} if run else {}
    surveys, outcomes = [], []
    for one in found:
        if isinstance(one, HostError):
            outcomes.append(outcome_of_error(one))
        elif held := next((each.under_way for each in one.runs if each.under_way), ""):
            outcomes.append(HostOutcome(one.host.name, Outcome.REFUSED, held))
        elif standing := tuple(each for each in one.runs if not each.over):
            surveys.append(replace(one, runs=standing))
        elif one.runs:
            reason = _("run {run} is taken back already").format(run=run)
            outcomes.append(HostOutcome(one.host.name, Outcome.UNCHANGED, reason))
        elif recorded_as.get(one.host.name) is Outcome.CONFIRMED:
            reason = _("it confirmed run {run} and knows nothing of it any more").format(run=run)
            outcomes.append(HostOutcome(one.host.name, Outcome.FAILED, reason))
        else:
            outcomes.append(HostOutcome(one.host.name, Outcome.UNCHANGED, _("no run stands on it")))
    return surveys, outcomes


def roll_back_recorded(
    workspace: Workspace,
    store: "Store",
    fleet: Fleet,
    surveys: Sequence[Survey],
    mandate: Mandate,
    others: Sequence[HostOutcome] = (),
) -> tuple[Run, tuple[TakenBack, ...]]:
    """Take the runs of the surveys back and record it.

    ``others`` are the outcomes of hosts that had ended before: they belong to the record as well.
    Raises InterruptedRun after recording how the hosts were left, as far as it can be recorded.
    """
    note = _("run {run}").format(run=mandate.run) if mandate.run else _("every run")
    new = NewRun(RunKind.ROLLBACK, workspace.settings.operator.name, note=note)
    ended = {one.host: one for one in others}
    taken: tuple[TakenBack, ...] = ()
    record = None
    try:
        with recorded(workspace, store, new) as (record, save):
            save(others)
            names = [survey.host.name for survey in surveys]
            store.save_steps(record.id, names, "rollback")
            taken = _carried_out(fleet, surveys, mandate, _Kept(record.id, ended, save))
    except ControllerError as problem:
        if record is None or len(ended) == len(others):
            raise
        raise InterruptedRun(record.id, ended, cause=problem) from problem
    return record, taken


class _Kept:
    """How hosts ended: remembered, and recorded as long as that can be done."""

    def __init__(self, run: str, ended: dict[str, HostOutcome], save: Save) -> None:
        self.run = run
        self.ended = ended
        self.save = save
        self.failure: ControllerError | None = None

    def hear(self, taken: TakenBack) -> None:
        """Keep how a host ended; where it cannot be recorded, the others go back all the same."""
        self.ended[taken.outcome.host] = taken.outcome
        try:
            self.save([taken.outcome])
        except ControllerError as problem:
            self.failure = self.failure or problem


def _carried_out(
    fleet: Fleet, surveys: Sequence[Survey], mandate: Mandate, kept: _Kept
) -> tuple[TakenBack, ...]:
    """Take the runs back; raises ControllerError where that could not be recorded."""
    try:
        taken = roll_back(fleet, surveys, mandate, kept.hear)
    except (Interrupted, KeyboardInterrupt) as problem:
        reason = _("interrupted; what goes on there comes to its end without us")
        names = [one.host.name for one in surveys if one.host.name not in kept.ended]
        left = {name: HostOutcome(name, Outcome.INTERRUPTED, reason) for name in names}
        interrupted = InterruptedRun(kept.run, kept.ended | left)
        keep_left(interrupted, kept.save)
        raise interrupted from problem
    if kept.failure is not None:
        raise kept.failure
    return tuple(taken)


def hosts_of_run(
    store: "Store", run: str, reached: Sequence[ManagedHost], limit: str | None
) -> tuple[tuple[ManagedHost, ...], tuple[HostOutcome, ...]]:
    """Return the hosts that an apply touched or may have touched, out of those that are reached.

    Beside them, without a limit, the outcomes of its hosts that are not reached any more: these are
    not taken back. Raises ConfigurationError where the run is no apply, or not within the limit.
    """
    record = store.run(run)
    if record.kind is not RunKind.APPLY:
        message = _("run {run} is not an apply but: {kind}; only an apply can be taken back")
        raise ConfigurationError(message.format(run=run, kind=record.kind.value))
    untouched = (Outcome.UNCHANGED, Outcome.REFUSED, Outcome.NOT_STARTED)
    names = [host.host for host in store.run_hosts(run) if host.outcome not in untouched]
    hosts = tuple(host for host in reached if host.name in names)
    if limit is not None:
        if not hosts:
            message = _("no managed host of run {run} is within {limit}")
            raise ConfigurationError(message.format(run=run, limit=limit))
        return hosts, ()
    reason = _("not taken back: it is not among the managed hosts of the inventory any more")
    lost = sorted(set(names) - {host.name for host in hosts})
    return hosts, tuple(HostOutcome(name, Outcome.FAILED, reason) for name in lost)

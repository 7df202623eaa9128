"""A recorded run: the store and the audit log know that it began, and how it ended."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.change.interrupted import InterruptedRun, undisturbed
from orchestrator.drift.underway import started
from orchestrator.model.change import HostOutcome
from orchestrator.model.errors import ControllerError, Interrupted
from orchestrator.model.record import NewRun, Run, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

Save = Callable[[Sequence[HostOutcome]], None]
# Is told (host, step) before each step, from several threads.
Report = Callable[[str, str], None]


@contextmanager
def recorded(workspace: Workspace, store: "Store", new: NewRun) -> Iterator[tuple[Run, Save]]:
    """Yield a run that starts now, and what to call with outcomes as soon as they are known.

    A later outcome of a host replaces an earlier one; the log tells the last of each.
    """
    with started(workspace, store, new) as run:
        begun = {"run": run.id, "note": new.note} | ({"plan": new.plan} if new.plan else {})
        store.log.append(run.operator, f"{run.kind.value} started", begun)
        saved: dict[str, str] = {}

        def save(outcomes: Sequence[HostOutcome]) -> None:
            with undisturbed():
                for outcome in outcomes:
                    store.save_host_outcome(run.id, outcome)
                    saved[outcome.host] = outcome.outcome.value

        def end(status: RunStatus) -> None:
            with undisturbed():
                store.finish_run(run.id, status)
                detail = {"run": run.id, "status": status.value, "hosts": saved}
                store.log.append(run.operator, f"{run.kind.value} ended", detail)

        try:
            yield run, save
        except BaseException as problem:
            interrupted = isinstance(problem, Interrupted | KeyboardInterrupt)
            try:
                end(RunStatus.INTERRUPTED if interrupted else RunStatus.FAILED)
            except ControllerError as failure:
                # How the hosts were left is worth more than that it cannot be kept.
                if isinstance(problem, InterruptedRun):
                    raise problem.because(failure) from problem
            raise
        end(RunStatus.DONE)


def keep_left(interrupted: InterruptedRun, save: Save) -> None:
    """Record how the hosts were left; raises InterruptedRun with the cause where that fails."""
    try:
        save(list(interrupted.outcomes.values()))
    except ControllerError as problem:
        raise interrupted.because(problem) from problem

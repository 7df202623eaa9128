"""A recorded change: the store knows each step before it is taken; afterwards, audit again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.change import witness
from orchestrator.change.course import Agreed, Course, Listeners
from orchestrator.change.interrupted import InterruptedRun
from orchestrator.change.order import Order
from orchestrator.change.own_roles import Own
from orchestrator.change.recorded import keep_left, recorded
from orchestrator.drift.scope import Scope
from orchestrator.fleet.own_play import OwnPlaces
from orchestrator.model.change import HostOutcome, HostPlan
from orchestrator.model.control import State
from orchestrator.model.errors import ControllerError
from orchestrator.model.patches import RESTARTS, UPDATES
from orchestrator.model.record import NewRun, Run, RunKind
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_CHAPTER_PLAYBOOKS = ("firewall", "antivirus", "intrusion")


@dataclass(frozen=True)
class Applied:
    """A recorded apply, and how each host ended."""

    run: Run
    outcomes: tuple[HostOutcome, ...]


def apply_recorded(
    workspace: Workspace,
    scope: Scope,
    store: "Store",
    agreed: Agreed,
    on_step: Callable[[str, str], None] = lambda _host, _step: None,
    on_ended: Callable[[Run, Sequence[HostOutcome]], None] = lambda _run, _outcomes: None,
) -> Applied:
    """Apply the plans wave by wave, record every step and outcome, audit changed hosts again.

    ``on_step`` is told (host, step), from several threads, and of each wave; ``on_ended`` how hosts
    ended, as soon as that is recorded. Once more hosts have
    failed than was agreed to, no other wave begins. Raises InterruptedRun after recording how the
    hosts were left, as far as it can be recorded, and RefusedError where a run used the saved plan
    before.
    """
    ended: Mapping[str, HostOutcome] = {}
    run = None
    try:
        with recorded(workspace, store, new_run(workspace, scope, agreed)) as (run, save):
            save(agreed.left_out)

            def report(host: str, step: str) -> None:
                on_step(host, step)
                store.save_steps(run.id, [host], step)

            def keep(outcomes: Sequence[HostOutcome]) -> None:
                save(outcomes)
                on_ended(run, outcomes)

            # Whoever resumes this run must find the hosts to which it never came.
            waiting = [name for name, plan in agreed.plans.items() if plan.changes]
            store.save_steps(run.id, waiting, "waiting")
            order = order_of(workspace, scope, store, run, agreed.plans)
            course = Course(workspace, scope, store, agreed, order)
            ended = course.outcomes
            try:
                course.follow(Listeners(keep, report, on_step))
            except InterruptedRun as interrupted:
                keep_left(interrupted, save)
                raise
    except ControllerError as problem:
        if run is None or not ended:
            raise
        raise InterruptedRun(run.id, ended, cause=problem) from problem
    return Applied(run, tuple(ended.values()))


def new_run(workspace: Workspace, scope: Scope, agreed: Agreed) -> NewRun:
    """Return what is known of an apply when it starts."""
    settings, selection = workspace.settings, scope.selection
    return NewRun(
        RunKind.APPLY,
        settings.operator.name,
        profile=settings.profile,
        limit=selection.limit or "",
        scope=selection.recorded,
        note=agreed.note,
        # Where every host is left out, the plan stays to be used once that is seen to.
        plan=agreed.saved_plan if agreed.plans else "",
    )


def order_of(
    workspace: Workspace, scope: Scope, store: "Store", run: Run, plans: Mapping[str, HostPlan]
) -> Order:
    """Return what a run carries out, with the chapter's own playbook where there is one."""
    settings = workspace.settings
    key = workspace.digest_key()
    chapters = tuple(scope.selection.chapters)
    own = chapters[0] if len(chapters) == 1 and chapters[0] in _CHAPTER_PLAYBOOKS else "harden"
    updates = only_updates(scope)
    if updates:
        own = "patch"
    places = OwnPlaces(workspace.roles_dir, settings.inventory, workspace.pins_file)
    return Order(
        run=run.id,
        operator=settings.operator.name,
        window=settings.confirm_window,
        journal_days=settings.journal_days,
        witness=witness.words(store.log.head(), key),
        digest_key=key,
        playbook=workspace.playbooks_dir / f"{own}.yml",
        pins_file=workspace.pins_file,
        plans=plans,
        manifests=scope.wanted,
        own=Own(settings.own_roles, places),
        updates=updates,
    )


def only_updates(scope: Scope) -> bool:
    """Return whether nothing but updates was asked for."""
    named = [scope.baseline.controls[name] for name in scope.selection.controls]
    wishes = [wish for control in named for wish in control.desired]
    kinds = {wish.kind if isinstance(wish, State) else "" for wish in wishes}
    return bool(kinds) and kinds <= {UPDATES, RESTARTS} and not scope.selection.chapters

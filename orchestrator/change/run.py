"""A recorded change: the store knows each step before it is taken; afterwards, audit again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.change import witness
from orchestrator.change.apply import Order, apply_to
from orchestrator.change.interrupted import InterruptedRun
from orchestrator.change.recorded import recorded
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import Watch, by_host, watch
from orchestrator.model.change import HostOutcome, HostPlan, Outcome
from orchestrator.model.errors import Interrupted
from orchestrator.model.finding import HostAudit, Mark, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunKind
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_CHAPTER_PLAYBOOKS = ("firewall", "antivirus")


@dataclass(frozen=True)
class Applied:
    """A recorded apply: how each host ended, and the audit that followed (None: none was made)."""

    run: Run
    outcomes: tuple[HostOutcome, ...]
    watch: Watch | None


@dataclass(frozen=True)
class Agreed:
    """What an apply carries out: plans by host, and what is recorded beside them.

    ``left_out`` are the outcomes of hosts that gave no plan, or whose plan was refused; ``note`` is
    kept with the run.
    """

    plans: Mapping[str, HostPlan]
    left_out: Sequence[HostOutcome] = ()
    note: str = ""


def apply_recorded(
    workspace: Workspace,
    scope: Scope,
    store: "Store",
    agreed: Agreed,
    on_step: Callable[[str, str], None] = lambda _host, _step: None,
) -> Applied:
    """Apply the plans, record every step and outcome, and audit the changed hosts again.

    Raises InterruptedRun after recording how the hosts were left.
    """
    plans = agreed.plans
    hosts = [host for host in scope.hosts if host.name in plans]
    with recorded(workspace, store, _new(workspace, scope, agreed.note)) as (run, save):
        save(agreed.left_out)

        def report(host: str, step: str) -> None:
            on_step(host, step)
            store.save_steps(run.id, [host], step)

        try:
            order = _order(workspace, scope, store, run, plans)
            ended = apply_to(scope.fleet, hosts, order, report)
        except InterruptedRun as interrupted:
            save(list(interrupted.outcomes.values()))
            raise
        outcomes = [_with_unplanned(outcome, plans[outcome.host]) for outcome in ended]
        save(outcomes)
        try:
            seen = _audit_again(workspace, scope, store, outcomes)
        except (Interrupted, KeyboardInterrupt) as problem:
            raise InterruptedRun(run.id, {one.host: one for one in outcomes}) from problem
        if seen is not None:
            outcomes = [_settle(outcome, plans, by_host(seen.audits)) for outcome in outcomes]
            save(outcomes)
    return Applied(run, tuple(outcomes), seen)


def _new(workspace: Workspace, scope: Scope, note: str) -> NewRun:
    settings, selection = workspace.settings, scope.selection
    return NewRun(
        RunKind.APPLY,
        settings.operator.name,
        profile=settings.profile,
        limit=selection.limit or "",
        scope=selection.part,
        note=note,
    )


def _audit_again(
    workspace: Workspace, scope: Scope, store: "Store", outcomes: Sequence[HostOutcome]
) -> Watch | None:
    """Audit the hosts that were touched; return None where there are none."""
    touched = {o.host for o in outcomes if o.outcome is not Outcome.UNCHANGED}
    if not touched:
        return None
    hosts = tuple(host for host in scope.hosts if host.name in touched)
    return watch(workspace, replace(scope, hosts=hosts), store)


def _order(
    workspace: Workspace, scope: Scope, store: "Store", run: Run, plans: Mapping[str, HostPlan]
) -> Order:
    settings = workspace.settings
    key = workspace.digest_key()
    chapters = tuple(scope.selection.chapters)
    own = chapters[0] if len(chapters) == 1 and chapters[0] in _CHAPTER_PLAYBOOKS else "harden"
    return Order(
        run=run.id,
        operator=settings.operator.name,
        window=settings.confirm_window,
        witness=witness.words(store.log.head(), key),
        digest_key=key,
        playbook=workspace.playbooks_dir / f"{own}.yml",
        pins_file=workspace.pins_file,
        plans=plans,
        manifests=scope.manifests,
    )


def _with_unplanned(outcome: HostOutcome, plan: HostPlan) -> HostOutcome:
    """Tell beside the outcome which controls could not be planned, and why."""
    if not plan.unplanned:
        return outcome
    told = "; ".join(f"{control}: {in_words(why)}" for control, why in plan.unplanned.items())
    reasons = (outcome.reason, _("cannot be planned: {told}").format(told=told))
    return replace(outcome, reason="; ".join(filter(None, reasons)))


def _settle(
    outcome: HostOutcome, plans: Mapping[str, HostPlan], audits: Mapping[str, HostAudit]
) -> HostOutcome:
    """A confirmed host whose changed controls still fail is a failed apply (DESIGN 5.8)."""
    audit = audits.get(outcome.host)
    if outcome.outcome is not Outcome.CONFIRMED or audit is None:
        return outcome
    planned = {change.control for change in plans[outcome.host].changes}
    wrong = (Verdict.FAIL, Verdict.ERROR)
    still = tuple(
        f.control
        for f in audit.findings
        if f.control in planned and f.verdict in wrong and Mark.PENDING not in f.marks
    )
    if not still:
        return outcome
    told = _("confirmed, but not as wanted: {controls}").format(controls=", ".join(still))
    reason = "; ".join(filter(None, (told, outcome.reason)))
    return replace(outcome, outcome=Outcome.FAILED, reason=reason, still_failing=still)

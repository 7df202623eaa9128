"""A recorded change: the store knows each step before it is taken; afterwards, audit again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.change.apply import InterruptedRun, Order, apply_to
from orchestrator.change.rollback import roll_back_hosts, roll_back_run
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import Watch, by_host, watch
from orchestrator.fleet.agent import Fleet
from orchestrator.model.change import HostOutcome, HostPlan, Outcome
from orchestrator.model.errors import ConfigurationError, Interrupted
from orchestrator.model.finding import HostAudit, Mark, Verdict
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunKind, RunStatus
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


def apply_recorded(
    workspace: Workspace,
    scope: Scope,
    store: "Store",
    plans: Mapping[str, HostPlan],
    *,
    planless: Sequence[HostOutcome] = (),
    on_step: Callable[[str, str], None] = lambda _host, _step: None,
) -> Applied:
    """Apply the plans, record every step and outcome, and audit the changed hosts again.

    ``planless`` are the outcomes of hosts that gave no plan: they belong to the record as well.

    Raises InterruptedRun after recording how the hosts were left.
    """
    hosts = [host for host in scope.hosts if host.name in plans]
    with _recorded(
        workspace, store, RunKind.APPLY, scope.selection.limit, scope.selection.part
    ) as (
        run,
        save,
    ):
        save(planless)
        order = _order(workspace, scope, store, run, plans)

        def report(host: str, step: str) -> None:
            on_step(host, step)
            store.save_steps(run.id, [host], step)

        try:
            outcomes = [
                _with_unplanned(outcome, plans[outcome.host])
                for outcome in apply_to(scope.fleet, hosts, order, report)
            ]
        except InterruptedRun as interrupted:
            save(list(interrupted.outcomes.values()))
            raise
        save(outcomes)
    touched = {o.host for o in outcomes if o.outcome is not Outcome.UNCHANGED}
    if not touched:
        return Applied(run, tuple(outcomes), None)
    again = replace(scope, hosts=tuple(h for h in hosts if h.name in touched))
    seen = watch(workspace, again, store)
    settled = tuple(_settle(o, plans, by_host(seen.audits)) for o in outcomes)
    for outcome in settled:
        store.save_host_outcome(run.id, outcome)
    return Applied(run, settled, seen)


def roll_back_recorded(
    workspace: Workspace,
    store: "Store",
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    run: str | None,
    *,
    force: bool = False,
) -> tuple[Run, tuple[HostOutcome, ...]]:
    """Take one run (or, without one, every run) back on the hosts, and record it."""
    note = _("run {run}").format(run=run) if run else _("every run")
    with _recorded(workspace, store, RunKind.ROLLBACK, None, "", note) as (record, save):
        store.save_steps(record.id, [host.name for host in hosts], "rollback")
        if run:
            outcomes = roll_back_run(fleet, hosts, run, force=force)
        else:
            outcomes = roll_back_hosts(fleet, hosts, force=force)
        save(outcomes)
    return record, tuple(outcomes)


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
    untouched = (Outcome.UNCHANGED, Outcome.REFUSED)
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


Save = Callable[[Sequence[HostOutcome]], None]


@contextmanager
def _recorded(
    workspace: Workspace,
    store: "Store",
    kind: RunKind,
    limit: str | None,
    part: str,
    note: str = "",
) -> Iterator[tuple[Run, Save]]:
    settings = workspace.settings
    operator = settings.operator.name
    run = store.start_run(
        NewRun(kind, operator, profile=settings.profile, limit=limit or "", scope=part, note=note)
    )
    store.log.append(operator, f"{kind.value} started", {"run": run.id, "note": note})
    saved: list[HostOutcome] = []

    def save(outcomes: Sequence[HostOutcome]) -> None:
        saved.extend(outcomes)
        for outcome in outcomes:
            store.save_host_outcome(run.id, outcome)

    status = RunStatus.FAILED
    try:
        yield run, save
        status = RunStatus.DONE
    except (Interrupted, KeyboardInterrupt):
        status = RunStatus.INTERRUPTED
        raise
    finally:
        store.finish_run(run.id, status)
        ended = {outcome.host: outcome.outcome.value for outcome in saved}
        detail = {"run": run.id, "status": status.value, "hosts": ended}
        store.log.append(operator, f"{kind.value} ended", detail)


def _order(
    workspace: Workspace, scope: Scope, store: "Store", run: Run, plans: Mapping[str, HostPlan]
) -> Order:
    settings = workspace.settings
    head = store.log.head()
    chapters = tuple(scope.selection.chapters)
    own = chapters[0] if len(chapters) == 1 and chapters[0] in _CHAPTER_PLAYBOOKS else "harden"
    return Order(
        run=run.id,
        operator=settings.operator.name,
        window=settings.confirm_window,
        witness=f"{head.seq}:{head.hash}",
        digest_key=workspace.digest_key(),
        playbook=workspace.playbooks_dir / f"{own}.yml",
        pins_file=workspace.pins_file,
        plans=plans,
        manifests=scope.manifests,
    )


def _with_unplanned(outcome: HostOutcome, plan: HostPlan) -> HostOutcome:
    """Tell beside the outcome which controls could not be planned, and why."""
    if not plan.unplanned:
        return outcome
    told = "; ".join(f"{control}: {why}" for control, why in plan.unplanned.items())
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

"""``luytre apply``: make the planned changes, safely."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import Context, ExitCode, Output, code_of_outcomes, combine
from orchestrator.cli.options import output_option, selection_options, terms_options
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.i18n import _
from orchestrator.model.selection import Selection, Terms
from orchestrator.report.commands import to_type, to_type_for

if TYPE_CHECKING:
    from orchestrator.change.course import Agreed
    from orchestrator.cli.planning import Planned
    from orchestrator.drift.scope import Scope
    from orchestrator.model.change import HostPlan
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Plan, show, ask, change, confirm over a fresh login, audit again.\n\n"
        "A server that can no longer be logged into takes itself back.\n\n"
        "With --plan, what luytre plan --save wrote is carried out, once, instead of planning anew."
        "\n\n\b\n"
        "Example:\n  luytre apply --limit web1 --yes"
    )
)
@selection_options
@click.option(
    "--plan",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Carry out this saved plan; it holds what was selected."),
)
@terms_options
@output_option
@click.pass_obj
def command(
    context: Context, selection: Selection, plan: Path | None, terms: Terms, output: Output
) -> ExitCode:
    """Apply the baseline to the hosts and show how each ended."""
    if plan is None:
        return apply_selected(context, selection, terms, output)
    if selection != Selection():
        raise click.UsageError(
            _("a saved plan is carried out as a whole: --plan goes without {options}").format(
                options="--limit, --chapter, --control"
            )
        )
    return apply_saved(context, plan.expanduser(), terms, output)


def apply_selected(
    context: Context,
    selection: Selection,
    terms: Terms,
    output: Output,
    settled: Sequence[HostOutcome] | None = None,
) -> ExitCode:
    """Plan, show, ask, change; return the exit code.

    ``settled`` are outcomes of a run that went before, which belong to the same JSON document.
    """
    from orchestrator.cli.planning import make_plans  # noqa: PLC0415 - start-up time
    from orchestrator.drift.scope import gather  # noqa: PLC0415

    workspace = context.workspace()
    scope = gather(workspace, selection)
    planned = make_plans(workspace, scope, output, terms.consent)
    return carry_out(context, planned, terms, output, settled=settled)


def apply_saved(context: Context, file: Path, terms: Terms, output: Output) -> ExitCode:
    """Open a saved plan, show, ask, change; return the exit code."""
    from orchestrator.change.run import only_updates  # noqa: PLC0415 - start-up time
    from orchestrator.cli.patch_asked import tell_left  # noqa: PLC0415
    from orchestrator.cli.saved_plans import open_plans  # noqa: PLC0415

    workspace = context.workspace()
    saved, planned = open_plans(workspace, file, output, terms.consent)
    code = carry_out(context, planned, terms, output, saved)
    scope, *_plans = planned
    if only_updates(scope):
        tell_left(workspace, scope, output)
    return code


def carry_out(
    context: Context,
    planned: "Planned",
    terms: Terms,
    output: Output,
    saved: str = "",
    *,
    settled: Sequence[HostOutcome] | None = None,
) -> ExitCode:
    """Show plans, ask, change; return the exit code.

    ``saved`` is the id of the saved plan that was opened; ``settled`` as above.
    """
    from orchestrator.change.course import Agreed  # noqa: PLC0415 - start-up time
    from orchestrator.change.impact import withhold  # noqa: PLC0415
    from orchestrator.change.outcomes import joined, outcome_of_error  # noqa: PLC0415
    from orchestrator.cli.gate import look_at_gate  # noqa: PLC0415
    from orchestrator.cli.planning import code_of_rest  # noqa: PLC0415
    from orchestrator.cli.views import plan_view  # noqa: PLC0415
    from orchestrator.cli.views.output import console, note  # noqa: PLC0415

    workspace = context.workspace()
    scope, plans, errors = planned
    # To take back what was done is no new risk.
    taking_back = _("it is a rollback") if scope.selection.without else ""
    gate = look_at_gate(workspace, scope, terms.without_backup or taking_back)
    allowed, refused = withhold(plans, terms.accepted, gate.refusals)
    failed = [*map(outcome_of_error, errors), *refused]
    touched = sum(bool(plan.changes) for plan in allowed)
    # What is to be taken out and cannot be is the whole answer.
    left = bool(scope.selection.without) and any(plan.by_hand for plan in plans)
    if output is Output.HUMAN and (touched or refused or left):
        shown = plan_view.render(plans, terms.accepted, workspace.settings.own_roles)
        console(sys.stdout.isatty()).print(shown)
    exempt = gate.note({plan.host for plan in allowed if plan.changes})
    if exempt and output is Output.HUMAN:
        note(exempt)
    if touched:
        names = [host.name for host in scope.hosts]
        context.confirm_hosts(
            names, yes=terms.consent.yes, count=terms.consent.count, changed=touched, output=output
        )
    by_host = {plan.host: plan for plan in allowed}
    agreed = Agreed(by_host, failed, joined(_note(terms, workspace), exempt), terms.waves, saved)
    outcomes = _carry_out(workspace, scope, agreed, output, settled)
    rest = code_of_rest(plans)
    return combine([code_of_outcomes(outcomes), *([rest] if rest else [])])


def _note(terms: Terms, workspace: "Workspace") -> str:
    """Return what is kept with the run of what was agreed to."""
    from orchestrator.change.outcomes import joined  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.own_roles_words import own_roles_lines  # noqa: PLC0415

    accepted = _("accepted impacts: {names}").format(names=", ".join(sorted(terms.accepted)))
    own = own_roles_lines(workspace.settings.own_roles)
    return joined(accepted if terms.accepted else "", *own)


def _carry_out(
    workspace: "Workspace",
    scope: "Scope",
    agreed: "Agreed",
    output: Output,
    settled: Sequence[HostOutcome] | None,
) -> list[HostOutcome]:
    from orchestrator.change import by_hand  # noqa: PLC0415 - start-up time
    from orchestrator.change.interrupted import InterruptedRun  # noqa: PLC0415
    from orchestrator.change.run import apply_recorded  # noqa: PLC0415
    from orchestrator.change.take_back import abandoned_applies  # noqa: PLC0415
    from orchestrator.cli.left_files import LeftFiles  # noqa: PLC0415
    from orchestrator.cli.views import outcome_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.cli.views.own_roles_words import own_roles_document  # noqa: PLC0415
    from orchestrator.cli.views.steps import steps  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    failed = agreed.left_out
    own = own_roles_document(workspace.settings.own_roles)
    beside: dict[str, Any] = {"own_roles": own, "note": agreed.note}
    if settled is not None:
        beside["settled"] = outcome_view.document(settled)["hosts"]
    by_hand.sweep(workspace)
    with open_store(workspace) as store, steps(output) as step:
        files = LeftFiles(workspace, scope.fleet, store, scope.hosts)
        try:
            applied = apply_recorded(workspace, scope, store, agreed, step, files.of_ended)
        except InterruptedRun as interrupted:
            left, run = [*interrupted.outcomes.values(), *failed], interrupted.run
            again = [to_type("runs", "resume", run)] if interrupted.cause else []
            emit(
                output,
                lambda: outcome_view.render(left, again),
                lambda: {**outcome_view.document(left, run), **beside},
            )
            if interrupted.cause is not None:
                raise interrupted.cause from interrupted
            raise
        outcomes = [*applied.outcomes, *failed]
        dead = abandoned_applies(workspace, store)
    files.tell()
    waived = {name: plan.waived for name, plan in agreed.plans.items()}
    following = _next_steps(applied.run.id, outcomes, agreed.plans, scope.selection.limit)
    steps_to_go = [*following, *_to_free(outcomes, dead)]
    emit(
        output,
        lambda: outcome_view.render(outcomes, steps_to_go, waived),
        lambda: {**outcome_view.document(outcomes, applied.run.id, waived), **beside},
    )
    return outcomes


def _to_free(outcomes: Sequence[HostOutcome], dead: Sequence[str]) -> list[str]:
    """Return the commands that free hosts which runs of ours hold whose process is gone."""
    refused = [one.reason for one in outcomes if one.outcome is Outcome.REFUSED]
    holding = [run for run in dead if any(run in reason for reason in refused)]
    return [to_type("rollback", "--run", run) for run in holding]


def _next_steps(
    run: str,
    outcomes: Sequence[HostOutcome],
    plans: Mapping[str, "HostPlan"],
    limit: str | None,
) -> list[str]:
    steps = []
    # A host that took itself back may have kept the packages that were installed.
    kept = {host for host, plan in plans.items() if any(c.install for c in plan.changes)}
    if any(
        o.outcome is Outcome.CONFIRMED
        or (o.outcome is Outcome.FAILED and o.host in plans)
        or (o.outcome is Outcome.ROLLED_BACK and o.host in kept)
        for o in outcomes
    ):
        steps.append(to_type("rollback", "--run", run))
    lost = [o.host for o in outcomes if o.outcome is Outcome.UNREACHABLE]
    if lost:
        steps.append(to_type("inventory", "check"))
    refused = [o.host for o in outcomes if o.outcome is Outcome.REFUSED and o.host in plans]
    if refused:
        steps.append(to_type_for(["plan"], refused, limit))
    if any(host in plans and plans[host].changes for host in lost):
        steps.append(to_type("runs", "resume", run))
    return steps

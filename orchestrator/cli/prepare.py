"""``luytre runs prepare``: make a run ready whose playbook somebody types."""

import sys
from collections.abc import Set

import click

from orchestrator.cli.context import Context, ExitCode, Output, code_of_outcomes, combine
from orchestrator.cli.options import (
    accept_impact_option,
    consent_options,
    output_option,
    selection_options,
    without_backup_option,
)
from orchestrator.model.change import Outcome
from orchestrator.model.i18n import _
from orchestrator.model.impact import ImpactName
from orchestrator.model.selection import Consent, Selection

_WINDOW = 600


@click.command(
    name="prepare",
    help=_(
        "Plan, show, ask, and prepare a run that you play yourself with ansible-playbook.\n\n"
        "Changes nothing. Prints the command to type; afterwards luytre runs resume confirms the"
        " servers over fresh logins, or they take themselves back.\n\n\b\n"
        "Example:\n  luytre runs prepare --limit web1 --chapter firewall"
    ),
)
@selection_options
@click.option(
    "--window",
    type=click.IntRange(10, 3600),
    default=_WINDOW,
    show_default=True,
    metavar=_("SECONDS"),
    help=_("How long a changed server waits for luytre runs resume before it goes back."),
)
@consent_options
@accept_impact_option
@without_backup_option
@output_option
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    selection: Selection,
    window: int,
    consent: Consent,
    accepted: Set[ImpactName],
    without_backup: str,
    output: Output,
) -> ExitCode:
    """Prepare a run for the selected hosts and show the command."""
    from orchestrator.change import by_hand  # noqa: PLC0415 - start-up time
    from orchestrator.change.course import Agreed  # noqa: PLC0415
    from orchestrator.change.impact import withhold  # noqa: PLC0415
    from orchestrator.change.outcomes import joined, outcome_of_error  # noqa: PLC0415
    from orchestrator.cli.gate import look_at_gate  # noqa: PLC0415
    from orchestrator.cli.planning import code_of_rest, make_plans  # noqa: PLC0415
    from orchestrator.cli.views import plan_view, prepared_view  # noqa: PLC0415
    from orchestrator.cli.views.output import console, emit, note  # noqa: PLC0415
    from orchestrator.drift.scope import gather  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    scope, plans, errors = make_plans(workspace, gather(workspace, selection), output, consent)
    gate = look_at_gate(workspace, scope, without_backup)
    allowed, refused = withhold(plans, accepted, gate.refusals)
    touched = sum(bool(plan.changes) for plan in allowed)
    if output is Output.HUMAN and (touched or refused):
        console(sys.stdout.isatty()).print(plan_view.render(plans, accepted))
    exempt = gate.note({plan.host for plan in allowed if plan.changes})
    if exempt and output is Output.HUMAN:
        note(exempt)
    if touched:
        names = [host.name for host in scope.hosts]
        context.confirm_hosts(
            names, yes=consent.yes, count=consent.count, changed=touched, output=output
        )
    told = _("accepted impacts: {names}").format(names=", ".join(sorted(accepted)))
    by_host = {plan.host: plan for plan in allowed}
    kept = joined(_("played by hand"), told if accepted else "", exempt)
    agreed = Agreed(by_host, [*map(outcome_of_error, errors), *refused], kept)
    with open_store(workspace) as store:
        prepared = by_hand.prepare(workspace, scope, store, agreed, window)
    own = workspace.settings.own_roles
    emit(
        output,
        lambda: prepared_view.render(prepared, window, own),
        lambda: {**prepared_view.document(prepared, window), "note": kept},
    )
    ended = [one for one in prepared.outcomes if one.outcome is not Outcome.INTERRUPTED]
    # Beside servers that are ready, a refused one is work left undone.
    ready = [ExitCode.DONE] if prepared.command else []
    rest = code_of_rest(plans)
    return combine([*ready, code_of_outcomes(ended), *([rest] if rest else [])])

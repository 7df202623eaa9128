"""``luytre plan``: what apply would change."""

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import output_option, selection_options
from orchestrator.model.i18n import _
from orchestrator.model.selection import Selection


@click.command(
    help=_(
        "Work out on every server what apply would change, and show it. Changes nothing.\n\n\b\n"
        "Example:\n  luytre plan --limit web --chapter firewall"
    )
)
@selection_options
@output_option
@click.pass_obj
def command(context: Context, selection: Selection, output: Output) -> ExitCode:
    """Plan and show; exit 3 when there is something to change."""
    from orchestrator.cli.planning import code_of_plans, make_plans, tell_unplanned  # noqa: PLC0415
    from orchestrator.cli.views import plan_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    _scope, plans, errors = make_plans(context.workspace(), selection, output)
    emit(output, lambda: plan_view.render(plans), lambda: plan_view.document(plans))
    tell_unplanned(errors, output)
    return combine([code_of_plans(plans), *errors.values()])

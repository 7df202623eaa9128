"""``luytre plan``: what apply would change."""

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import chapter_option, control_option, limit_option, output_option
from orchestrator.model.i18n import _


@click.command(
    help=_(
        "Work out on every server what apply would change, and show it. Changes nothing.\n\n\b\n"
        "Example:\n  luytre plan --limit web --chapter firewall"
    )
)
@limit_option
@chapter_option
@control_option
@output_option
@click.pass_obj
def command(
    context: Context,
    limit: str | None,
    chapter: tuple[str, ...],
    control: tuple[str, ...],
    output: Output,
) -> ExitCode:
    """Plan and show; exit 3 when there is something to change."""
    from orchestrator.change.plan import plan_fleet  # noqa: PLC0415 - start-up time
    from orchestrator.cli.planning import code_of_plans, split, tell_unplanned  # noqa: PLC0415
    from orchestrator.cli.views import plan_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.scope import Selection, gather  # noqa: PLC0415

    workspace = context.workspace()
    scope = gather(workspace, Selection(limit, chapter, control))
    workspace.prepare_state()
    with progress(_("plan"), len(scope.hosts), output) as done:
        found = plan_fleet(
            scope.fleet,
            scope.hosts,
            scope.manifests,
            workspace.digest_key(),
            lambda host, _plan: done(host.name),
        )
    plans, errors = split(found)
    emit(output, lambda: plan_view.render(plans), lambda: plan_view.document(plans))
    tell_unplanned(errors)
    return combine([code_of_plans(plans), *errors.values()])

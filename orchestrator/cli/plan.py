"""``luytre plan``: what apply would change."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import output_option, selection_options
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Selection

if TYPE_CHECKING:
    from orchestrator.drift.scope import Scope
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Work out on every server what apply would change, and show it. Changes nothing.\n\n"
        "With --save, somebody else can read it in FILE; apply --plan FILE then makes these changes"
        " or none.\n\n\b\n"
        "Example:\n  luytre plan --limit web --chapter firewall"
    )
)
@selection_options
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Save the plan in this new file, sealed; apply --plan carries it out."),
)
@output_option
@click.pass_obj
def command(context: Context, selection: Selection, save: Path | None, output: Output) -> ExitCode:
    """Plan and show; exit 3 when there is something to change."""
    from orchestrator.drift.scope import gather  # noqa: PLC0415

    workspace = context.workspace()
    file = free_file(save)
    return plan_scope(workspace, gather(workspace, selection), file, output)


def free_file(save: Path | None) -> Path | None:
    """Return where to save a plan, if anywhere; raises ConfigurationError where a file is."""
    from orchestrator.workspace.new_file import require_free  # noqa: PLC0415 - start-up time

    if save is None:
        return None
    file = save.expanduser().absolute()
    require_free(file)
    return file


def plan_scope(
    workspace: "Workspace",
    scope: "Scope",
    file: Path | None,
    output: Output,
    failed: Sequence[HostError] = (),
) -> ExitCode:
    """Let the hosts of a scope plan, show it, save it where a ``file`` is named.

    Of those that ``failed`` before it is known that they give no plan.
    """
    from orchestrator.cli.gate import look_at_gate  # noqa: PLC0415
    from orchestrator.cli.planning import code_of_plans, make_plans, tell_unplanned  # noqa: PLC0415
    from orchestrator.cli.saved_plans import save_plans, tell_saved  # noqa: PLC0415
    from orchestrator.cli.views import plan_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit, note  # noqa: PLC0415

    planned = make_plans(workspace, scope, output, failed=failed)
    scope, plans, errors = planned
    plan = save_plans(workspace, file, planned, output) if file else ""
    saved = {"saved": {"file": str(file), "plan": plan}} if plan else {}
    own = workspace.settings.own_roles
    emit(
        output,
        lambda: plan_view.render(plans, own=own),
        lambda: plan_view.document(plans, own) | saved,
    )
    if file and plan and output is Output.HUMAN:
        tell_saved(file, plan)
    gate = look_at_gate(workspace, scope, "")
    if told := gate.warning({plan.host for plan in plans if plan.changes}):
        note(told)
    tell_unplanned(errors, output)
    return combine([*([code_of_plans(plans)] if plans else []), *errors.values()])

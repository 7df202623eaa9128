"""``luytre runs``: what was run, by whom, and how it ended."""

import click

from orchestrator.cli.context import Context, Output
from orchestrator.cli.options import output_option
from orchestrator.model.i18n import _
from orchestrator.model.record import RunKind


@click.group(
    name="runs",
    help=_("What was run, by whom, and how it ended."),
    epilog=_("Example: luytre runs list --number 50"),
)
def group() -> None:
    """Group the commands about runs."""


@group.command(
    name="list",
    help=_("Show the latest runs, newest first.\n\n\b\nExample:\n  luytre runs list --number 50"),
)
@click.option("--number", default=20, type=click.IntRange(1, 1000), help=_("How many."))
@output_option
@click.pass_obj
def list_runs(context: Context, number: int, output: Output) -> None:
    """List the runs."""
    from orchestrator.cli.views import runs_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.underway import as_they_are  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        runs = as_they_are(workspace, store.runs(number))
        changes = [run.id for run in runs if run.kind is not RunKind.AUDIT]
        hosts = {run: store.run_hosts(run) for run in changes}
    emit(output, lambda: runs_view.render_list(runs, hosts), lambda: runs_view.document_list(runs))


@group.command(
    help=_(
        "Show one run, host by host.\n\n\b\nExample:\n  luytre runs show 20261123T191300Z-048213"
    )
)
@click.argument("run")
@output_option
@click.pass_obj
def show(context: Context, run: str, output: Output) -> None:
    """Show one run."""
    from orchestrator.cli.views import runs_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.underway import as_they_are  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        (record,) = as_they_are(workspace, [store.run(run)])
        hosts = store.run_hosts(run)
    emit(
        output,
        lambda: runs_view.render_run(record, hosts),
        lambda: runs_view.document_run(record, hosts),
    )

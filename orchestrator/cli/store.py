"""``luytre store``: look after what the controller remembers."""

from datetime import UTC, datetime, timedelta

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import output_option, yes_option
from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _


@click.group(
    name="store",
    help=_("Verify what is remembered; forget what is old."),
    epilog=_("Example: luytre store verify"),
)
def group() -> None:
    """Group the commands about the store."""


@group.command(
    help=_(
        "Check that the store still is what was written into it.\n\n"
        "The file, its tables, what servers answered, and the audit log are compared with their"
        " digests and with each other. Exit 1 where anything is not sound.\n\n\b\n"
        "Example:\n  luytre store verify"
    )
)
@output_option
@click.pass_obj
def verify(context: Context, output: Output) -> ExitCode:
    """Check every part and show each."""
    from orchestrator.cli.views import store_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    with open_store(context.workspace()) as store:
        checks = tuple(store.verify())
    emit(
        output,
        lambda: store_view.render_checks(checks),
        lambda: store_view.document_checks(checks),
    )
    return ExitCode.FAILED if any(check.problems for check in checks) else ExitCode.DONE


@group.command(
    help=_(
        "Forget what servers answered, and audits that found nothing new, where they are old.\n\n"
        "What stays: every change, the audit log, runs that changed servers, what a finding that"
        " stands rests on, and of each server the last audit of a day. What would go is shown and"
        " asked about, and noted in the audit log.\n\n\b\n"
        "Example:\n  luytre store prune --keep 90"
    )
)
@click.option(
    "--keep",
    type=click.IntRange(1, 36_500),
    required=True,
    metavar=_("DAYS"),
    help=_("Forget nothing of so many days."),
)
@click.option("--dry-run", is_flag=True, help=_("Only show what would go."))
@yes_option
@output_option
@click.pass_obj
def prune(context: Context, keep: int, dry_run: bool, yes: bool, output: Output) -> ExitCode:
    """Show, ask, forget, give the room back."""
    from orchestrator.cli.views import store_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, note  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    before = datetime.now(UTC) - timedelta(days=keep)
    file = workspace.store_file
    with open_store(workspace) as store:
        size, asked = file.stat().st_size, store.prunable(before)
        if not dry_run and not asked.nothing:
            for line in store_view.tell_prunable(asked):
                note(line)
            context.confirm(_("Forget it?"), yes=yes)
            asked = store.prune(workspace.settings.operator.name, before)
            try:
                store.shrink()
            except ControllerError as error:
                note(_("forgotten, but the file stays as large as it is: {why}").format(why=error))
    pruned = store_view.Pruned(asked, dry_run, size, file.stat().st_size)
    emit(
        output, lambda: store_view.render_pruned(pruned), lambda: store_view.document_pruned(pruned)
    )
    return ExitCode.DONE

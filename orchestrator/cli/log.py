"""``luytre log``: the audit log, each entry chained to the one before."""

import click

from orchestrator.cli.context import Context, Output
from orchestrator.cli.options import output_option
from orchestrator.model.i18n import _


@click.group(name="log", help=_("Show and verify the audit log."))
def group() -> None:
    """Group the commands about the audit log."""


@group.command(
    help=_("Show the latest entries, newest first.\n\n\b\nExample:\n  luytre log show --number 50")
)
@click.option("--number", default=20, type=click.IntRange(1, 10000), help=_("How many."))
@output_option
@click.pass_obj
def show(context: Context, number: int, output: Output) -> None:
    """Show entries of the audit log."""
    from orchestrator.cli.views import log_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    with open_store(context.workspace()) as store:
        entries = store.log.newest(number)
    emit(output, lambda: log_view.render(entries), lambda: log_view.document(entries))


@group.command(
    help=_(
        "Check every entry against the chain; name the first that was edited or deleted.\n\n\b\n"
        "Example:\n  luytre log verify"
    )
)
@output_option
@click.pass_obj
def verify(context: Context, output: Output) -> None:
    """Verify the chain; a broken one is an error (exit 1)."""
    from orchestrator.cli.views.output import emit  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    with open_store(context.workspace()) as store:
        head = store.log.verify()
    emit(
        output,
        lambda: _("{n} entries, each follows from the one before; head {hash}").format(
            n=head.seq, hash=head.hash[:16]
        ),
        lambda: {"entries": head.seq, "head": head.hash},
    )

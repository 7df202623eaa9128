"""``luytre log``: the audit log, each entry chained to the one before."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.errors import HostError, UnreachableError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.change.witness import HostWitness


@click.group(
    name="log",
    help=_("Show and verify the audit log."),
    epilog=_("Example: luytre log show --number 50"),
)
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
        "Check every entry against the chain; name the first that was edited or deleted.\n\n"
        "With --hosts, also against what the servers have seen of it: each run leaves the head of"
        " the log there. So it is found when the newest entries were cut off, or an older copy was"
        " brought back.\n\n\b\n"
        "Example:\n  luytre log verify\n  luytre log verify --hosts --limit web"
    )
)
@click.option("--hosts", is_flag=True, help=_("Also ask the servers what they have seen."))
@limit_option
@output_option
@click.pass_obj
def verify(context: Context, hosts: bool, limit: str | None, output: Output) -> ExitCode:
    """Verify the chain; a broken one is an error (exit 1), and so is one that a host belies."""
    from orchestrator.change import witness  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import log_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.scope import reach  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    answers: list[HostWitness | HostError] = []
    with open_store(workspace) as store:
        if hosts or limit:
            fleet, asked = reach(workspace, limit)
            answers = witness.gather_witnesses(fleet, asked, workspace.digest_key())
        failed = [one for one in answers if isinstance(one, HostError)]
        seen = [one for one in answers if not isinstance(one, HostError)]
        head = witness.verify(store.log, seen)
    emit(
        output,
        lambda: log_view.render_verified(head, seen, failed),
        lambda: log_view.document_verified(head, seen, failed),
    )
    return combine(
        ExitCode.UNREACHABLE if isinstance(one, UnreachableError) else ExitCode.FAILED
        for one in failed
    )

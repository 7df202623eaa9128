"""``luytre status``: what matters now, and what to do first."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import output_option, stale_option
from orchestrator.model.i18n import _
from orchestrator.model.status import Concern, Live, Question

if TYPE_CHECKING:
    from orchestrator.workspace.directory import Workspace

_CODES = {
    Concern.UNREACHABLE: ExitCode.UNREACHABLE,
    Concern.VAULT_ALARM: ExitCode.NOT_COMPLIANT,
    Concern.MALWARE: ExitCode.NOT_COMPLIANT,
    Concern.SIGNATURES: ExitCode.NOT_COMPLIANT,
    Concern.SCANS: ExitCode.NOT_COMPLIANT,
    Concern.UNPROTECTED: ExitCode.NOT_COMPLIANT,
    Concern.UNPATCHED: ExitCode.NOT_COMPLIANT,
    Concern.INTRUSION: ExitCode.NOT_COMPLIANT,
    Concern.FILES_DIFFER: ExitCode.NOT_COMPLIANT,
    Concern.UNWATCHED: ExitCode.NOT_COMPLIANT,
    Concern.OPEN: ExitCode.NOT_COMPLIANT,
    Concern.WAIVER_EXPIRED: ExitCode.NOT_COMPLIANT,
}


@click.command(
    help=_(
        "Tell what matters now: servers held by a change or not reached, audits that are too old,"
        " what could not be read, grave failures; and what to do first.\n\n"
        "It answers from the store and contacts nobody, unless --live. Exit 0 when all is calm.\n\n"
        "\b\nExample:\n  luytre status --stale 48"
    )
)
@stale_option
@click.option("--live", is_flag=True, help=_("Also ask the servers how they are now."))
@output_option
@click.pass_obj
def command(context: Context, stale: int, live: bool, output: Output) -> ExitCode:
    """Look and tell."""
    from orchestrator.cli.views import status_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.status import look  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.fleet.inventory import require_inventory  # noqa: PLC0415

    workspace = context.workspace()
    # It is not read; but who moved it away must not be told that all is calm.
    require_inventory(workspace.settings.inventory)
    question = Question(
        now=datetime.now(UTC),
        stale_after=timedelta(hours=stale),
        live=_asked(workspace, output) if live else {},
    )
    with open_store(workspace) as store:
        status = look(workspace, store, question)
    emit(output, lambda: status_view.render(status), lambda: status_view.document(status))
    return combine(_CODES.get(one.concern, ExitCode.FAILED) for one in status.matters)


def _asked(workspace: "Workspace", output: Output) -> dict[str, Live]:
    from orchestrator.cli.views.output import progress  # noqa: PLC0415 - start-up time
    from orchestrator.drift.live import ask_hosts  # noqa: PLC0415
    from orchestrator.drift.scope import reach  # noqa: PLC0415

    fleet, hosts = reach(workspace, None)
    fleet.require_keys(hosts)
    with progress(_("status"), len(hosts), output) as done:
        return ask_hosts(fleet, hosts, done)

"""``luytre audit``: compare servers with the baseline, changing none."""

import click

from orchestrator.cli.context import Context, ExitCode, Output, code_of_audits
from orchestrator.cli.options import audit_output_option, selection_options
from orchestrator.model.i18n import _
from orchestrator.model.selection import Selection


@click.command(
    help=_(
        "Compare servers with the hardened baseline and remember what was found.\n\n"
        "Nothing is changed or written on the servers.\n\n\b\n"
        "Example:\n  luytre audit --limit web1 --chapter ssh\n"
        "  luytre audit --output csv > audit.csv"
    )
)
@selection_options
@audit_output_option
@click.pass_obj
def command(context: Context, selection: Selection, output: Output) -> ExitCode:
    """Audit the hosts and show the findings."""
    from orchestrator.drift.scope import gather  # noqa: PLC0415 - start-up time

    workspace = context.workspace()
    scope = gather(workspace, selection, import_the_rest)
    scope.fleet.require_keys(scope.hosts)
    from orchestrator.cli.views import audit_output  # noqa: PLC0415
    from orchestrator.cli.views.output import progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store, watch  # noqa: PLC0415

    with open_store(workspace) as store, progress(_("audit"), len(scope.hosts), output) as done:
        seen = watch(workspace, scope, store, done)
    audit_output.show(output, scope, seen)
    return code_of_audits(seen.audits)


def import_the_rest() -> None:
    """Import what the answer needs while Ansible resolves the inventory."""
    from orchestrator.cli.views import audit_output  # noqa: F401, PLC0415 - start-up time

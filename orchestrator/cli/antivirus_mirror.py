"""``luytre antivirus mirror``: the signatures that are served inside the network."""

from pathlib import Path

import click

from orchestrator.cli.antivirus_scope import scope_of
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _


@click.group(
    name="mirror",
    help=_(
        "The mirror of signatures inside the network, on the server that luytre_antivirus_mirror"
        " names.\n\n\b\nExample:\n  luytre antivirus mirror status"
    ),
)
def group() -> None:
    """Look after the mirror."""


@group.command(
    name="publish",
    help=_(
        "Publish signature FILES: main.cvd, daily.cvd, bytecode.cvd as they were fetched where"
        " there is a connection, and your own .hdb, .ndb and .yar.\n\n"
        "The mirror checks each file and loads all of them before any is served; where one is"
        " refused, what is served stays as it is. A file takes the place of the one of its kind:"
        " your own must hold the signatures that are served already, and the new ones.\n\n"
        "\b\nExample:\n  luytre antivirus mirror publish /mnt/usb/daily.cvd center.hdb"
    ),
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.option(
    "--replace",
    is_flag=True,
    help=_("Your own files need not hold what is served: signatures that they lack are gone."),
)
@limit_option
@output_option
@click.pass_obj
def publish(
    context: Context, files: tuple[Path, ...], replace: bool, limit: str | None, output: Output
) -> ExitCode:
    """Hand over, and show what is served now."""
    from orchestrator.cli.views import antivirus_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.antivirus import mirror  # noqa: PLC0415

    workspace = context.workspace()
    scope = scope_of(workspace, limit)
    packed = mirror.pack(files)
    with open_store(workspace) as store:
        found = mirror.publish(scope.fleet, scope.require_mirrors(), packed, replace=replace)
        told = {
            one.host: one.message if isinstance(one, HostError) else one.problem for one in found
        }
        named = [str(file) for file in files]
        detail = {"files": named, "replace": replace, "mirrors": told}
        store.log.append(workspace.settings.operator.name, "signatures published", detail)
    emit(
        output,
        lambda: antivirus_view.render_served(found),
        lambda: antivirus_view.served_document(found),
    )
    return combine(
        ExitCode.REFUSED if not isinstance(one, HostError) and one.problem else code_of_result(one)
        for one in found
    )


@group.command(
    name="status",
    help=_(
        "Show which signatures the mirror serves, and from when they are.\n\n\b\n"
        "Example:\n  luytre antivirus mirror status"
    ),
)
@limit_option
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Ask and show."""
    from orchestrator.cli.views import antivirus_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.protect.antivirus import mirror  # noqa: PLC0415

    scope = scope_of(context.workspace(), limit)
    found = mirror.served(scope.fleet, scope.require_mirrors())
    emit(
        output,
        lambda: antivirus_view.render_served(found),
        lambda: antivirus_view.served_document(found),
    )
    return combine(
        ExitCode.FAILED
        if not isinstance(one, HostError) and one.unreadable
        else code_of_result(one)
        for one in found
    )

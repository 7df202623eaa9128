"""``luytre init``: make a workspace."""

from pathlib import Path

import click

from orchestrator.cli.context import ExitCode, Output
from orchestrator.cli.options import output_option
from orchestrator.model.i18n import _
from orchestrator.workspace.settings import key_problem, name_problem


def _checked_name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    wrong = name_problem(value)
    if wrong:
        raise click.BadParameter(wrong)
    return value


def _checked_key(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    wrong = key_problem(value.expanduser()) if value else ("", "")
    if wrong[0]:
        raise click.BadParameter("; ".join(filter(None, wrong)))
    return value


@click.command(
    help=_(
        "Make a workspace in DIR (here, unless given): settings and an example inventory.\n\n"
        "\b\nExample:\n  luytre init province --operator 'Nguyễn Văn A'"
    )
)
@click.argument(
    "directory", metavar="[DIR]", default=Path(), type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--operator",
    required=True,
    metavar=_("NAME"),
    callback=_checked_name,
    help=_("Your own name: every change is recorded under it."),
)
@click.option(
    "--ssh-key",
    type=click.Path(path_type=Path),
    metavar=_("FILE"),
    callback=_checked_key,
    help=_("Your public SSH key, the file that ends with .pub."),
)
@output_option
def command(directory: Path, operator: str, ssh_key: Path | None, output: Output) -> ExitCode:
    """Create the workspace and tell the next steps."""
    from orchestrator.cli.views import init_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.workspace.create import create  # noqa: PLC0415

    workspace = create(directory.expanduser().absolute(), operator, ssh_key=ssh_key)
    emit(
        output,
        human=lambda: init_view.render(workspace),
        machine=lambda: init_view.document(workspace),
    )
    return ExitCode.DONE

"""``luytre completion``: let the shell complete our commands."""

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.main import PROGRAM, root
from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _


@click.command(
    help=_(
        "Print the completion script of a shell.\n\n"
        "\b\nExample:\n  luytre completion bash > ~/.local/share/bash-completion/completions/luytre"
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script; the shell reads it at its start."""
    script = get_completion_class(shell)
    if script is None:
        raise ControllerError(_("click knows no completion for {shell}").format(shell=shell))
    click.echo(script(root, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())

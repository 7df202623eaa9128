"""``luytre backup-self`` and ``luytre restore-self``: the controller's own state in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import output_option
from orchestrator.cli.passphrase import Source, passphrase_options
from orchestrator.model.i18n import _, _n

if TYPE_CHECKING:
    from orchestrator.store.own_backup import Saved
    from orchestrator.store.own_restore import Restored
    from orchestrator.workspace.directory import Workspace


@click.command(
    name="backup-self",
    help=_(
        "Write everything that this controller knows into one encrypted FILE.\n\n"
        "It holds the whole workspace: settings, inventory, store, pinned host keys, digest key."
        " Not your SSH keys, nor what the settings name outside of the workspace. The passphrase is"
        " asked for; without it the file is worth nothing.\n\n\b\n"
        "Example:\n  luytre backup-self /mnt/usb/luytre-2026-11-23.sealed"
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@passphrase_options
@output_option
@click.pass_obj
def back_up(context: Context, file: Path, source: Source, output: Output) -> ExitCode:
    """Seal the workspace."""
    from orchestrator.cli.views.output import emit, note  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.store.own_backup import back_up as use_case  # noqa: PLC0415

    workspace = context.workspace()
    target = file.expanduser().absolute()
    passphrase = source.read(new=True)
    with open_store(workspace) as store:
        saved = use_case(workspace, store, target, passphrase)
    for left in saved.left_out:
        note(_("left out: {name} ({why})").format(name=left.name, why=_why(left.why)))
    for path in _outside(workspace):
        note(_("outside of the workspace, so not in it: {path}").format(path=path))
    if workspace.settings.inventory.resolve().is_relative_to(workspace.state.resolve() / "lab"):
        lost = _("the inventory is a lab's, and labs are not in it: {path}")
        note(lost.format(path=workspace.settings.inventory))
    told = _n("Written: {file} ({n} file)", "Written: {file} ({n} files)", saved.files)
    emit(
        output,
        lambda: told.format(file=target, n=saved.files),
        lambda: _saved_document(target, saved),
    )
    return ExitCode.DONE


@click.command(
    name="restore-self",
    help=_(
        "Restore what backup-self wrote into a new or empty DIRECTORY, or nothing at all.\n\n"
        "Nothing else is changed: go there and work on. The old controller must not go on"
        " working beside it.\n\n\b\n"
        "Example:\n  luytre restore-self luytre-2026-11-23.sealed --into ~/province"
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--into",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar=_("DIRECTORY"),
    help=_("Where to; it must be empty, or not there yet."),
)
@passphrase_options
@output_option
def restore(file: Path, into: Path, source: Source, output: Output) -> ExitCode:
    """Open the file and restore it; exit 1 where something is to be looked at."""
    from orchestrator.cli.views.output import emit, note  # noqa: PLC0415 - start-up time
    from orchestrator.store.own_restore import must_be_free  # noqa: PLC0415
    from orchestrator.store.own_restore import restore as use_case  # noqa: PLC0415

    target = into.expanduser().absolute()
    must_be_free(target)
    restored = use_case(file.expanduser(), target, source.read(new=False))
    for problem in restored.problems:
        note(_("look at this: {problem}").format(problem=problem))
    emit(
        output,
        lambda: _("Restored: {directory}, as it was on {controller} at {time}").format(
            directory=target,
            controller=restored.label.controller,
            time=restored.label.created,
        ),
        lambda: _restored_document(restored),
    )
    return ExitCode.FAILED if restored.problems else ExitCode.DONE


def _outside(workspace: "Workspace") -> list[Path]:
    """Return what the settings name that lies elsewhere."""
    settings = workspace.settings
    named = [settings.inventory, *settings.baselines, *settings.templates]
    named += [settings.operator.ssh_key] if settings.operator.ssh_key else []
    home = workspace.directory.resolve()
    return [path for path in named if not path.resolve().is_relative_to(home)]


def _why(why: str) -> str:
    return {
        "link": _("a link that leads out of the workspace"),
        "special": _("neither a file nor a directory"),
        "backup": _("itself a backup"),
    }[why]


def _saved_document(target: Path, saved: "Saved") -> dict[str, Any]:
    return {
        "file": str(target),
        "size": saved.size,
        "files": saved.files,
        "left_out": [{"name": str(one.name), "why": one.why} for one in saved.left_out],
    }


def _restored_document(restored: "Restored") -> dict[str, Any]:
    return {
        "directory": str(restored.directory),
        "files": restored.files,
        "backup": restored.label.document(),
        "problems": list(restored.problems),
    }

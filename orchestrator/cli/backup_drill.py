"""``luytre backup drill``: restore on a scratch host, and see whether everything is there."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.backup_scope import wanted
from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.cli.passphrase import Source, passphrase_options
from orchestrator.model.backup import WHOLE
from orchestrator.model.drill import DrillState
from orchestrator.model.errors import RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.backup import BackupWish
    from orchestrator.model.drill import Drill

_CODES = {
    DrillState.PASSED: ExitCode.DONE,
    DrillState.FAILED: ExitCode.FAILED,
    DrillState.UNDONE: ExitCode.FAILED,
}


@click.command(
    name="drill",
    help=_(
        "Restore each server's newest whole backup on its scratch host, and see what works.\n\n"
        "Every file is compared, every dump is loaded into a real database server and counted, the"
        " server's services are started with the network off and asked by its health checks."
        " Nothing of it stays on the scratch host.\n\n\b\n"
        "Example:\n  luytre backup drill --limit web1"
    ),
)
@limit_option
@click.option(
    "--sample",
    is_flag=True,
    help=_("Restore only the random sample of files, and every dump; start nothing."),
)
@click.option(
    "--escrow",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help=_("Open the repositories with the sealed list for the safe, as if all else were lost."),
)
@passphrase_options
@consent_options
@output_option
@click.pass_obj
def drill(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    limit: str | None,
    sample: bool,
    escrow: Path | None,
    source: Source,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Drill and keep every verdict."""
    from orchestrator.cli.views import drill_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.backup_progress import following  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.drill import Drilling  # noqa: PLC0415
    from orchestrator.protect.drill_ways import DrillWays  # noqa: PLC0415
    from orchestrator.protect.escrow import read  # noqa: PLC0415
    from orchestrator.protect.late_drills import fetch_drills  # noqa: PLC0415
    from orchestrator.protect.secret_file import Passwords  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415
    from orchestrator.store.runs import first_id  # noqa: PLC0415

    workspace = context.workspace()
    fleet, every_wish, every = wanted(workspace, limit)
    wishes = _drillable(every_wish)
    scratch = sorted({wish.drill.scratch for wish in wishes if wish.drill is not None})
    fleet.require_keys(every[name] for name in [*scratch, *(wish.vault for wish in wishes)])
    context.confirm_hosts(scratch, yes=consent.yes, count=consent.count, output=output)
    names = [wish.host for wish in wishes]
    kept: dict[str, str] = {}
    if escrow is not None:
        entries = read(escrow, source.read(new=False)).entries
        kept = {entry.host: entry.password for entry in entries}
    operator = workspace.settings.operator.name
    with (
        open_store(workspace) as store,
        following(_("drilling: {n}").format(n=len(wishes)), output) as follow,
    ):

        def keep(one: "Drill") -> None:
            store.save_drill(one)
            follow.done(one.host)

        ways = DrillWays(fleet, every)
        # Of a drill that nobody followed to its end, the scratch host holds the result.
        fetch_drills(ways, wishes, store)
        newest = {one.host: one for one in store.backups(names, states=WHOLE)}
        passwords = kept or Passwords(workspace).read()
        run = first_id(utc_now())
        drilling = Drilling(ways, passwords, newest, run, whole=not sample)
        made = drilling.go(wishes, follow.progress, keep)
        told = {one.host: one.state.value for one in made}
        detail = {"run": run, "hosts": told, "escrow": escrow is not None}
        store.log.append(operator, "backup drilled", detail)
    emit(output, lambda: drill_view.render(made), lambda: drill_view.drills_document(made))
    return combine(_code_of(one) for one in made)


def _code_of(made: "Drill") -> ExitCode:
    if made.unreached and made.state is DrillState.UNDONE:
        return ExitCode.UNREACHABLE
    return _CODES[made.state]


def _drillable(every_wish: "Sequence[BackupWish]") -> "list[BackupWish]":
    """Return the wishes that name a scratch host; raises RefusedError where none does."""
    from orchestrator.cli.views.output import note  # noqa: PLC0415 - start-up time

    wishes = [wish for wish in every_wish if wish.drill is not None]
    if not wishes:
        raise RefusedError(
            _("no server within the limit names a scratch host"),
            hint=_("set luytre_backup_drill in the inventory, then type luytre backup setup"),
        )
    if left := [wish.host for wish in every_wish if wish.drill is None]:
        note(
            _("not drilled, because they name no scratch host: {names}").format(
                names=", ".join(left)
            )
        )
    return wishes

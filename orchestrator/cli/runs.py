"""``luytre runs``: what was run, by whom, and how it ended."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import prepare
from orchestrator.cli.context import Context, ExitCode, Output, code_of_outcomes, combine
from orchestrator.cli.options import output_option, terms_options
from orchestrator.model.change import Outcome
from orchestrator.model.errors import RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.record import HostRun, Run, RunKind
from orchestrator.model.selection import Terms
from orchestrator.report.commands import to_type

if TYPE_CHECKING:
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


@click.group(
    name="runs",
    help=_("What was run, by whom, and how it ended."),
    epilog=_("Example: luytre runs list --number 50"),
)
def group() -> None:
    """Group the commands about runs."""


@group.command(
    name="list",
    help=_("Show the latest runs, newest first.\n\n\b\nExample:\n  luytre runs list --number 50"),
)
@click.option("--number", default=20, type=click.IntRange(1, 1000), help=_("How many."))
@output_option
@click.pass_obj
def list_runs(context: Context, number: int, output: Output) -> None:
    """List the runs."""
    from orchestrator.cli.views import runs_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.underway import as_they_are  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        runs = as_they_are(workspace, store.runs(number))
        changes = [run.id for run in runs if run.kind is not RunKind.AUDIT]
        hosts = {run: store.run_hosts(run) for run in changes}
    emit(output, lambda: runs_view.render_list(runs, hosts), lambda: runs_view.document_list(runs))


@group.command(
    help=_(
        "Show one run, host by host.\n\n\b\nExample:\n  luytre runs show 20261123T191300Z-048213"
    )
)
@click.argument("run")
@output_option
@click.pass_obj
def show(context: Context, run: str, output: Output) -> None:
    """Show one run."""
    from orchestrator.cli.views import runs_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.underway import as_they_are  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        (record,) = as_they_are(workspace, [store.run(run)])
        hosts = store.run_hosts(run)
    emit(
        output,
        lambda: runs_view.render_run(record, hosts),
        lambda: runs_view.document_run(record, hosts),
    )


@group.command(
    help=_(
        "Go on with an apply whose controller was killed, whose servers were lost sight of, or that"
        " is played by hand.\n\n"
        "Asks the servers how the run ended there, takes back what is half done, then applies to"
        " all of them anew: plan, show, ask, change. A run that luytre runs prepare made ready is"
        " confirmed over fresh logins instead, and audited.\n\n\b\n"
        "Example:\n  luytre runs resume 20261123T191300Z-048213"
    )
)
@click.argument("run")
@terms_options
@output_option
@click.pass_obj
def resume(context: Context, run: str, terms: Terms, output: Output) -> ExitCode:
    """Settle the run, then apply to its hosts; confirm one that is played by hand."""
    from orchestrator.change import by_hand  # noqa: PLC0415
    from orchestrator.change.resume import resumable, settle_run  # noqa: PLC0415 - start-up time
    from orchestrator.cli.apply import apply_selected  # noqa: PLC0415
    from orchestrator.cli.views import outcome_view  # noqa: PLC0415
    from orchestrator.cli.views.output import console  # noqa: PLC0415
    from orchestrator.drift.scope import reach, selection_of  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store, resumable(workspace, store, run) as (record, hosts):
        by_hand.sweep(workspace)
        if directory := by_hand.directory_of(workspace, run):
            give_up = partial(_give_up, context, run, terms.consent.yes)
            return _confirm(workspace, store, (record, hosts), directory, (give_up, output))
        fleet, inventory = reach(workspace, None)
        settled = settle_run(workspace, store, record, hosts, (fleet, inventory))
    if output is Output.HUMAN and settled:
        console(sys.stdout.isatty()).print(outcome_view.render(settled))
    known = {one.host for one in hosts}
    names = [host.name for host in inventory if host.name in known]
    if not names:
        raise RefusedError(_("no host of run {run} is managed any more").format(run=run))
    selection = selection_of(workspace, record, names)
    code = apply_selected(context, selection, terms, output, settled)
    # What went back or never began is done by now; what nobody could settle is not.
    unsettled = [one for one in settled if one.outcome is Outcome.FAILED]
    return combine([code, code_of_outcomes(unsettled)])


def _give_up(context: Context, run: str, yes: bool) -> None:
    """Ask whether a prepared run that nobody has played is given up; raises RefusedError."""
    told = _("run {run} is prepared, and nobody has played it yet").format(run=run)
    if not yes and not sys.stdin.isatty():
        hint = _("type the command that was printed; to give it up: luytre runs resume --yes {run}")
        raise RefusedError(told, hint=hint.format(run=run))
    context.confirm(_("{told}. Give it up?").format(told=told), yes=yes)


def _confirm(
    workspace: "Workspace",
    store: "Store",
    resumed: tuple[Run, tuple[HostRun, ...]],
    directory: Path,
    terms: tuple[Callable[[], None], Output],
) -> ExitCode:
    """Confirm the hosts of a run that is played by hand, and show how each ended."""
    from orchestrator.change.resume_by_hand import resume_by_hand  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import outcome_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.scope import gather, reach, selection_of  # noqa: PLC0415

    record, hosts = resumed
    known = {one.host for one in hosts}
    names = [host.name for host in reach(workspace, None)[1] if host.name in known]
    if not names:
        raise RefusedError(_("no host of run {run} is managed any more").format(run=record.id))
    scope = gather(workspace, selection_of(workspace, record, names))
    give_up, output = terms
    outcomes = resume_by_hand(workspace, store, resumed, scope, directory, give_up)
    standing = (Outcome.CONFIRMED, Outcome.FAILED)
    back = any(one.outcome in standing for one in outcomes)
    steps = [to_type("rollback", "--run", record.id)] if back else []
    emit(
        output,
        lambda: outcome_view.render(outcomes, steps),
        lambda: outcome_view.document(outcomes, record.id),
    )
    return code_of_outcomes(outcomes)


group.add_command(prepare.command)

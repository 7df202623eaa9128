"""``luytre rollback``: take back a run, a server, or single controls."""

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from orchestrator.cli.context import Context, ExitCode, Output, check_count, code_of_outcomes
from orchestrator.cli.options import control_option, limit_option, output_option, terms_options
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent, Selection, Terms
from orchestrator.model.waves import Waves

if TYPE_CHECKING:
    from orchestrator.change.rollback import TakenBack
    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.host import ManagedHost
    from orchestrator.model.record import Run
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Take back a run on its servers, every run on the servers named, or single controls.\n\n"
        "Shows what goes back, and asks. Refuses, unless --force, where something was changed since"
        " and where somebody else's change is under way. A control is taken out by a change of its"
        " own, confirmed like an apply; as long as the profile wants it, the next apply sets it"
        " again.\n\n\b\n"
        "Example:\n  luytre rollback --run 20261123T191300Z-048213\n  luytre rollback --host web1"
        "\n  luytre rollback --control ssh-root-login --limit web1"
    )
)
@click.option("--run", metavar=_("RUN"), help=_("The apply to take back (see luytre runs list)."))
@click.option(
    "--host", metavar=_("PATTERN"), help=_("Take back every run on these servers, newest first.")
)
@control_option
@limit_option
@click.option(
    "--force", is_flag=True, help=_("Also what was changed since, and what others work on.")
)
@terms_options
@output_option
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    run: str | None,
    host: str | None,
    control: tuple[str, ...],
    limit: str | None,
    force: bool,
    terms: Terms,
    output: Output,
) -> ExitCode:
    """Roll back and show how each host ended; exit 0 when all of it was taken back."""
    if [bool(run), bool(host), bool(control)].count(True) != 1 or (host and limit):
        message = _("name one of --run RUN, --control CONTROL (both perhaps with --limit), --host")
        raise click.UsageError(message)
    if control:
        return _take_out(
            context, Selection(limit=limit, without=control, forced=force), terms, output
        )
    if terms.accepted or terms.without_backup or terms.waves != Waves():
        raise click.UsageError(_("waves and impacts go with --control only"))
    return take_runs_back(context, Mandated(run, host, limit, force), terms.consent, output)


def _take_out(context: Context, selection: Selection, terms: Terms, output: Output) -> ExitCode:
    """Take single controls out; raises ConfigurationError for what is no control's name."""
    from orchestrator.baseline.controls import ID_PATTERN  # noqa: PLC0415 - start-up time
    from orchestrator.cli.apply import apply_selected  # noqa: PLC0415
    from orchestrator.cli.views.output import note  # noqa: PLC0415

    for name in selection.without:
        if not re.fullmatch(ID_PATTERN, name):
            raise ConfigurationError(_("not the name of a control: {name!r}").format(name=name))
    code = apply_selected(context, selection, terms, output)
    if output is Output.HUMAN:
        note(_("as long as the profile wants it, the next apply sets it again"))
    return code


class Mandated(NamedTuple):
    """What is to be taken back: a run (perhaps within a limit), or every run of some hosts."""

    run: str | None
    host: str | None
    limit: str | None
    force: bool


def take_runs_back(context: Context, wish: Mandated, consent: Consent, output: Output) -> ExitCode:
    """Show what goes back, ask, take it back and audit again; return the exit code."""
    from orchestrator.change.rollback import survey_fleet  # noqa: PLC0415 - start-up time
    from orchestrator.change.take_back import (  # noqa: PLC0415
        mandate_of,
        roll_back_recorded,
        sort_out,
    )
    from orchestrator.cli.left_files import LeftFiles  # noqa: PLC0415
    from orchestrator.cli.views import rollback_view  # noqa: PLC0415
    from orchestrator.cli.views.output import console  # noqa: PLC0415
    from orchestrator.drift.scope import whole_of  # noqa: PLC0415
    from orchestrator.drift.watch import open_store, watch  # noqa: PLC0415

    run = wish.run
    workspace = context.workspace()
    with open_store(workspace) as store:
        fleet, hosts, lost = _concerned(workspace, store, wish)
        check_count(consent.count, len(hosts))
        mandate = mandate_of(workspace, store, run, force=wish.force)
        surveys, others = sort_out(store, survey_fleet(fleet, hosts, mandate), run)
        if surveys:
            if output is Output.HUMAN:
                console(sys.stdout.isatty()).print(rollback_view.render_surveys(surveys))
            names = [one.name for one in hosts]
            context.confirm_hosts(
                names, yes=consent.yes, count=consent.count, changed=len(surveys), output=output
            )
        files = LeftFiles(workspace, fleet, store, hosts)

        def take_back(ended: "Sequence[HostOutcome]") -> "tuple[Run, tuple[TakenBack, ...]]":
            record, taken = roll_back_recorded(workspace, store, fleet, surveys, mandate, ended)
            gone = {one.outcome.host: [*one.done] for one in taken}
            files.of_taken_back(record, gone)
            return record, taken

        outcomes = _carry_out(take_back, [*others, *lost], output)
        files.tell()
        if surveys:
            # The store would still praise hosts as they were before.
            scope = whole_of(workspace, fleet, [one.host for one in surveys])
            watch(workspace, scope, store)
    return code_of_outcomes(_as_wished(outcomes))


def _concerned(
    workspace: "Workspace", store: "Store", wish: Mandated
) -> "tuple[Fleet, tuple[ManagedHost, ...], tuple[HostOutcome, ...]]":
    """Return the hosts to take back, the way to them, and outcomes of those that are lost."""
    from orchestrator.change.take_back import hosts_of_run  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import note  # noqa: PLC0415
    from orchestrator.drift.scope import reach, reach_to_change  # noqa: PLC0415

    if wish.run:
        fleet, hosts = reach(workspace, wish.limit)
        return fleet, *hosts_of_run(store, wish.run, hosts, wish.limit)
    try:
        fleet, hosts, left = reach_to_change(workspace, wish.host)
    except ConfigurationError as problem:
        # The inventory knows of limits only; the operator wrote --host.
        message = problem.message.replace("--limit", "--host")
        hint = problem.hint.replace("--limit", "--host")
        raise ConfigurationError(message, position=problem.position, hint=hint) from problem
    told = _("never changed, because they are not managed: {names}").format(names=", ".join(left))
    if not hosts:
        raise RefusedError(told)
    if left:
        note(f"luytre: {told}")
    return fleet, hosts, ()


def _carry_out(
    work: "Callable[[Sequence[HostOutcome]], tuple[Run, tuple[TakenBack, ...]]]",
    others: Sequence[HostOutcome],
    output: Output,
) -> list[HostOutcome]:
    """Take back and show how the hosts ended; ``others`` are those that had ended before."""
    from orchestrator.change.interrupted import InterruptedRun  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import outcome_view, rollback_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    try:
        record, taken = work(others)
    except InterruptedRun as interrupted:
        left, run = list(interrupted.outcomes.values()), interrupted.run
        emit(output, lambda: outcome_view.render(left), lambda: outcome_view.document(left, run))
        if interrupted.cause is not None:
            raise interrupted.cause from interrupted
        raise
    emit(
        output,
        lambda: rollback_view.render(taken, others),
        lambda: rollback_view.document(taken, others, record.id),
    )
    return [*(one.outcome for one in taken), *others]


def _as_wished(outcomes: Sequence[HostOutcome]) -> list[HostOutcome]:
    """Leave out what went as the operator wished: here, a rolled-back host is a success."""
    return [outcome for outcome in outcomes if outcome.outcome is not Outcome.ROLLED_BACK]

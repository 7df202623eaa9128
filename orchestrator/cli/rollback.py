"""``luytre rollback``: take back a run or a server."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, check_count, code_of_outcomes
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent, Selection

if TYPE_CHECKING:
    from orchestrator.change.rollback import TakenBack
    from orchestrator.fleet.agent import Fleet
    from orchestrator.model.host import ManagedHost
    from orchestrator.model.record import Run
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Take back a run on its servers, or every run on the servers named.\n\n"
        "Shows what goes back, and asks. Refuses, unless --force, where something was changed since"
        " and where somebody else's change is under way.\n\n\b\n"
        "Example:\n  luytre rollback --run 20261123T191300Z-048213\n  luytre rollback --host web1"
    )
)
@click.option("--run", metavar=_("RUN"), help=_("The apply to take back (see luytre runs list)."))
@click.option(
    "--host", metavar=_("PATTERN"), help=_("Take back every run on these servers, newest first.")
)
@limit_option
@click.option(
    "--force", is_flag=True, help=_("Also what was changed since, and what others work on.")
)
@consent_options
@output_option
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    run: str | None,
    host: str | None,
    limit: str | None,
    force: bool,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Roll back and show how each host ended; exit 0 when all of it was taken back."""
    from orchestrator.change.rollback import survey_fleet  # noqa: PLC0415 - start-up time
    from orchestrator.change.take_back import (  # noqa: PLC0415
        mandate_of,
        roll_back_recorded,
        sort_out,
    )
    from orchestrator.cli.views import rollback_view  # noqa: PLC0415
    from orchestrator.cli.views.output import console  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    if bool(run) is bool(host) or (host and limit):
        raise click.UsageError(_("name either --run RUN (perhaps with --limit) or --host PATTERN"))
    workspace = context.workspace()
    with open_store(workspace) as store:
        fleet, hosts, lost = _concerned(workspace, store, run, host, limit)
        check_count(consent.count, len(hosts))
        mandate = mandate_of(workspace, store, run, force=force)
        surveys, others = sort_out(store, survey_fleet(fleet, hosts, mandate), run)
        if surveys:
            if output is Output.HUMAN:
                console(sys.stdout.isatty()).print(rollback_view.render_surveys(surveys))
            names = [one.name for one in hosts]
            context.confirm_hosts(
                names, yes=consent.yes, count=consent.count, changed=len(surveys), output=output
            )
        outcomes = _carry_out(
            partial(roll_back_recorded, workspace, store, fleet, surveys, mandate),
            [*others, *lost],
            output,
        )
        _audit_again(workspace, store, [one.host.name for one in surveys])
    return code_of_outcomes(_as_wished(outcomes))


def _concerned(
    workspace: "Workspace", store: "Store", run: str | None, host: str | None, limit: str | None
) -> "tuple[Fleet, tuple[ManagedHost, ...], tuple[HostOutcome, ...]]":
    """Return the hosts to take back, the way to them, and outcomes of those that are lost."""
    from orchestrator.change.take_back import hosts_of_run  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import note  # noqa: PLC0415
    from orchestrator.drift.scope import reach, reach_to_change  # noqa: PLC0415

    if run:
        fleet, hosts = reach(workspace, limit)
        return fleet, *hosts_of_run(store, run, hosts, limit)
    try:
        fleet, hosts, left = reach_to_change(workspace, host)
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
        raise
    emit(
        output,
        lambda: rollback_view.render(taken, others),
        lambda: rollback_view.document(taken, others, record.id),
    )
    return [*(one.outcome for one in taken), *others]


def _audit_again(workspace: "Workspace", store: "Store", hosts: Sequence[str]) -> None:
    """Let the store know how the hosts stand now; before, it would still praise them."""
    from orchestrator.drift.scope import gather  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import watch  # noqa: PLC0415

    if hosts:
        watch(workspace, gather(workspace, Selection(limit=",".join(hosts))), store)


def _as_wished(outcomes: Sequence[HostOutcome]) -> list[HostOutcome]:
    """Leave out what went as the operator wished: here, a rolled-back host is a success."""
    return [outcome for outcome in outcomes if outcome.outcome is not Outcome.ROLLED_BACK]

"""``luytre rollback``: take back a run or a server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, code_of_outcomes
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent, Selection

if TYPE_CHECKING:
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


@click.command(
    help=_(
        "Take back a run on its servers, or every run on the servers named.\n\n"
        "Refuses where something was changed since, unless --force.\n\n\b\n"
        "Example:\n  luytre rollback --run 20261123T191300Z-048213\n  luytre rollback --host web1"
    )
)
@click.option("--run", metavar=_("RUN"), help=_("The apply to take back (see luytre runs list)."))
@click.option(
    "--host", metavar=_("PATTERN"), help=_("Take back every run on these servers, newest first.")
)
@limit_option
@click.option("--force", is_flag=True, help=_("Also what was changed since the run."))
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
    from orchestrator.change.run import hosts_of_run, roll_back_recorded  # noqa: PLC0415
    from orchestrator.cli.views import outcome_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.scope import reach  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    if bool(run) is bool(host):
        raise click.UsageError(_("name either --run RUN or --host PATTERN"))
    workspace = context.workspace()
    fleet, hosts = reach(workspace, host or limit)
    with open_store(workspace) as store:
        lost: tuple[HostOutcome, ...] = ()
        if run:
            hosts, lost = hosts_of_run(store, run, hosts, limit)
        elif not hosts:
            message = _("no managed host is within {limit}")
            raise ConfigurationError(message.format(limit=host))
        if hosts:
            context.confirm_hosts([one.name for one in hosts], yes=consent.yes, count=consent.count)
        record, taken = roll_back_recorded(workspace, store, fleet, hosts, run, force=force)
        outcomes = [*taken, *lost]
        emit(
            output,
            lambda: outcome_view.render(outcomes),
            lambda: outcome_view.document(outcomes, record.id),
        )
        _audit_again(workspace, store, [one.name for one in hosts])
    return code_of_outcomes(_as_wished(outcomes))


def _audit_again(workspace: "Workspace", store: "Store", hosts: Sequence[str]) -> None:
    """Let the store know how the hosts stand now; before, it would still praise them."""
    from orchestrator.drift.scope import gather  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import watch  # noqa: PLC0415

    if hosts:
        watch(workspace, gather(workspace, Selection(limit=",".join(hosts))), store)


def _as_wished(outcomes: Sequence[HostOutcome]) -> list[HostOutcome]:
    """Leave out what went as the operator wished: here, a rolled-back host is a success."""
    return [outcome for outcome in outcomes if outcome.outcome is not Outcome.ROLLED_BACK]

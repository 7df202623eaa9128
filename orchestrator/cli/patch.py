"""``luytre patch``: see which updates wait, install them safely, take them back."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import (
    Context,
    ExitCode,
    Output,
    code_of_outcomes,
    code_of_result,
    combine,
)
from orchestrator.cli.options import (
    consent_options,
    limit_option,
    output_option,
    terms_options,
    wave_options,
)
from orchestrator.cli.patch_asked import asked, holes_of, tell_left
from orchestrator.cli.patch_sources import refreshed, repaired
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ConfigurationError, HostError
from orchestrator.model.i18n import _
from orchestrator.model.patches import Patches
from orchestrator.model.selection import Consent, Selection, Terms
from orchestrator.model.waves import Waves

if TYPE_CHECKING:
    from orchestrator.drift.scope import Scope
    from orchestrator.model.host import ManagedHost
    from orchestrator.workspace.directory import Workspace


@click.group(
    help=_(
        "See which updates wait on servers, install them in waves, take them back.\n\n\b\n"
        "Example:\n  luytre patch plan --limit web"
    )
)
def group() -> None:
    """Patch."""


def _all_option(command: "click.decorators.FC") -> "click.decorators.FC":
    """Add ``--all``; the command gets ``every: bool``."""
    return click.option(
        "--all",
        "every",
        is_flag=True,
        help=_("Every update, not only those that mend security."),
    )(command)


def _wait_option(command: "click.decorators.FC") -> "click.decorators.FC":
    """Add ``--wait``; the command gets ``wait: int``, seconds."""
    return click.option(
        "--wait",
        type=click.IntRange(0, 3600),
        default=120,
        show_default=True,
        metavar=_("SECONDS"),
        help=_("Wait so long for others that work with a server's packages."),
    )(command)


@group.command(
    name="status",
    help=_(
        "Show which updates wait on each server, what is on hold, what has to be restarted.\n\n"
        "It goes by what the servers' sources of packages told them last; --refresh lets the"
        " servers ask them anew.\n\n\b\n"
        "Example:\n  luytre patch status --limit web1 --refresh"
    ),
)
@limit_option
@click.option("--refresh", is_flag=True, help=_("Let the servers ask their sources first."))
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, refresh: bool, output: Output) -> ExitCode:
    """Show and keep what the hosts say; exit 3 where an update that mends security waits."""
    from orchestrator.cli.views import patch_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    workspace = context.workspace()
    scope = _scope(workspace, Selection(limit), every=True)
    failed = refreshed(workspace, scope, output) if refresh else None
    holes = holes_of(workspace)
    told = asked(workspace, scope, output, failed, holes)
    moment = holes.moment if holes else None
    emit(
        output,
        lambda: patch_view.render(told, moment, refreshed=refresh),
        lambda: patch_view.document(told, moment),
    )
    return combine(map(_code, told))


@group.command(
    name="plan",
    help=_(
        "Let the servers ask their sources, and show which updates patch apply would install.\n\n"
        "Versions are those that apt would take now. Changes nothing but the lists of packages."
        "\n\n\b\n"
        "Example:\n  luytre patch plan --limit web --save tonight.plan"
    ),
)
@limit_option
@_all_option
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Save the plan in this new file, sealed; apply --plan carries it out."),
)
@output_option
@click.pass_obj
def plan(
    context: Context, limit: str | None, every: bool, save: Path | None, output: Output
) -> ExitCode:
    """Plan and show; exit 3 where updates wait."""
    from orchestrator.cli.plan import free_file, plan_scope  # noqa: PLC0415 - start-up time

    workspace = context.workspace()
    file = free_file(save)
    scope = _scope(workspace, Selection(limit), every=every)
    failed = refreshed(workspace, scope, output)
    asked(workspace, scope, output, failed, holes_of(workspace))
    return plan_scope(workspace, scope, file, output, failed)


@group.command(
    name="apply",
    help=_(
        "Install the updates that wait, wave by wave; restart the services that use them.\n\n"
        "An interrupted dpkg is repaired first. The packages that are replaced are kept on the"
        " server, so that patch rollback needs no mirror. Each server must be reached and healthy"
        " before and afterwards; too many that are not stop the waves.\n\n\b\n"
        "Example:\n  luytre patch apply --limit web --canary 1 --batch 10"
    ),
)
@limit_option
@_all_option
@_wait_option
@terms_options
@output_option
@click.pass_obj
def apply(
    context: Context, limit: str | None, every: bool, wait: int, terms: Terms, output: Output
) -> ExitCode:
    """Install updates and show how each host ended."""
    from orchestrator.cli.apply import carry_out  # noqa: PLC0415 - start-up time
    from orchestrator.cli.planning import make_plans  # noqa: PLC0415

    workspace = context.workspace()
    scope = _scope(workspace, Selection(limit), every=every)
    failed = repaired(context, scope, terms, output, wait=wait)
    planned = make_plans(workspace, scope, output, terms.consent, failed)
    code = carry_out(context, planned, terms, output)
    tell_left(workspace, scope, output, failed)
    return code


@group.command(
    name="reboot",
    help=_(
        "Reboot the servers that need it, wave by wave, and wait until they are back and healthy."
        "\n\nOutside of the hours that a server declares (luytre_reboot_window) it is left alone,"
        " unless --now.\n\n\b\n"
        "Example:\n  luytre patch reboot --limit web --batch 1"
    ),
)
@limit_option
@click.option("--now", is_flag=True, help=_("Also outside of the declared hours."))
@click.option(
    "--wait",
    type=click.IntRange(10, 3600),
    default=600,
    show_default=True,
    metavar=_("SECONDS"),
    help=_("How long a server may take to come back."),
)
@wave_options
@consent_options
@output_option
@click.pass_obj
def reboot(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    limit: str | None,
    now: bool,
    wait: int,
    waves: Waves,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Reboot and show how each host ended."""
    from orchestrator.change.reboot import Wish, reboot_recorded  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import outcome_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.cli.views.steps import steps  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    scope = _scope(workspace, Selection(limit), every=True)
    needing, outcomes = _needing_reboot(workspace, scope, now=now, output=output)
    run_id = ""
    if needing:
        names = [host.name for host in needing]
        context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
        with open_store(workspace) as store, steps(output) as step:
            # One after the other, unless somebody said otherwise.
            wish = Wish(needing, replace(waves, batch=waves.batch or 1), wait, now)
            run, ended = reboot_recorded(workspace, scope.fleet, store, wish, step)
        run_id, outcomes = run.id, [*outcomes, *ended]
    emit(
        output,
        lambda: outcome_view.render(outcomes, []),
        lambda: outcome_view.document(outcomes, run_id),
    )
    return code_of_outcomes(outcomes)


@group.command(
    name="rollback",
    help=_(
        "Bring back the versions that a run replaced, from the packages kept on the servers.\n\n"
        "apt simulates it first: what would take other packages along, or make older what every"
        " program rests on (libc), is refused.\n\n\b\n"
        "Example:\n  luytre patch rollback --run 20261123T191300Z-048213 --limit web1"
    ),
)
@click.option(
    "--run", required=True, metavar=_("RUN"), help=_("The run to take back (see runs list).")
)
@limit_option
@click.option(
    "--force", is_flag=True, help=_("Also what was changed since, and what others work on.")
)
@consent_options
@output_option
@click.pass_obj
def rollback(
    context: Context, run: str, limit: str | None, force: bool, consent: Consent, output: Output
) -> ExitCode:
    """Take a run of patch apply back, and ask what waits then."""
    from orchestrator.change.take_back import hosts_of_run  # noqa: PLC0415 - start-up time
    from orchestrator.cli.rollback import Mandated, take_runs_back  # noqa: PLC0415
    from orchestrator.cli.views.output import note  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    code = take_runs_back(context, Mandated(run, None, limit, force), consent, output)
    workspace = context.workspace()
    try:
        scope = _scope(workspace, Selection(limit), every=True)
    except ConfigurationError as problem:
        # Updates can be taken back in a workspace that asks for none any more.
        note(str(problem))
        return code
    with open_store(workspace) as store:
        hosts, _lost = hosts_of_run(store, run, scope.hosts, limit)
    asked(workspace, scope.only(hosts), output, None, holes_of(workspace))
    return code


def _scope(workspace: "Workspace", selection: Selection, *, every: bool) -> "Scope":
    """Return the hosts within the limit and the controls of updates that are asked of them."""
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415 - start-up time
    from orchestrator.drift.scope import gather  # noqa: PLC0415
    from orchestrator.protect.patching import controls_of  # noqa: PLC0415

    rules = ("security", "all") if every else ("security",)
    baseline = load_baseline(workspace.baseline_dirs)
    controls = controls_of(baseline, workspace.settings.profile, rules)
    return gather(workspace, replace(selection, controls=controls))


def _needing_reboot(
    workspace: "Workspace", scope: "Scope", *, now: bool, output: Output
) -> tuple[list["ManagedHost"], list[HostOutcome]]:
    """Return the hosts that need a reboot and may be down now, and how the others ended."""
    from orchestrator.change.outcomes import outcome_of_error  # noqa: PLC0415 - start-up time
    from orchestrator.change.reboot import hours_text, outside_of_hours  # noqa: PLC0415
    from orchestrator.cli.planning import changeable  # noqa: PLC0415

    scope = changeable(scope, output, Consent())
    found = asked(workspace, scope, output, None, holes_of(workspace))
    left = [outcome_of_error(one) for one in found if isinstance(one, HostError)]
    needing = {one.host for one in found if isinstance(one, Patches) and one.reboot}
    hosts = [host for host in scope.hosts if host.name in needing]
    calm = {host.name for host in scope.hosts} - needing - {one.host for one in left}
    left += [HostOutcome(name, Outcome.UNCHANGED) for name in sorted(calm)]
    hours = {} if now else outside_of_hours(hosts, datetime.now().astimezone())
    left += [HostOutcome(name, Outcome.REFUSED, hours_text(each)) for name, each in hours.items()]
    return [host for host in hosts if host.name not in hours], left


def _code(told: Patches | HostError) -> ExitCode:
    if isinstance(told, HostError):
        return code_of_result(told)
    if told.unknown:
        return ExitCode.FAILED
    waits = told.security or told.services or told.reboot or told.held_security
    return ExitCode.NOT_COMPLIANT if waits else ExitCode.DONE

"""``luytre waiver``: accepted failures, for a time and for what was seen."""

from datetime import date
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import output_option
from orchestrator.model.i18n import _
from orchestrator.model.waiver import LONGEST

if TYPE_CHECKING:
    from orchestrator.drift.waive import Wish


@click.group(
    name="waiver",
    help=_(
        "Accept failures on some servers for a time.\n\n"
        "A waiver covers what was seen at the last audit, and nothing else: another value is a new "
        "failure. The failure stays visible, marked as waived.\n\n\b\n"
        "Example:\n  luytre waiver list"
    ),
)
def group() -> None:
    """Group the commands about waivers."""


def _words(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable():
        raise click.BadParameter(_("must be words on one line"))
    return text


def _future(_ctx: click.Context, _param: click.Parameter, value: str) -> date:
    from orchestrator.baseline.waiver_file import day  # noqa: PLC0415 - start-up time

    today = date.today()
    try:
        until = day(value)
    except ValueError as error:
        message = _("{value!r} is not a day: write 2026-11-23").format(value=value)
        raise click.BadParameter(message) from error
    if until <= today:
        raise click.BadParameter(_("{day} is not in the future").format(day=until))
    if until > today + LONGEST:
        message = _("{day} is too far: a waiver lasts until {last} at most, then decide again")
        raise click.BadParameter(message.format(day=until, last=today + LONGEST))
    return until


@group.command(
    help=_(
        "Accept how a control fails now on the servers of a pattern.\n\n"
        "What their last audits saw is written into waivers.yml, for people to review.\n\n\b\n"
        "Example:\n  luytre waiver add ssh-root-login --limit web1 --until 2026-12-31 "
        "--approver 'Lê Hoa' --reason 'Old backup'"
    )
)
@click.argument("control", metavar=_("CONTROL"))
@click.option(
    "--limit",
    required=True,
    metavar=_("PATTERN"),
    help=_("The servers or groups on which it is accepted, as Ansible's --limit."),
)
@click.option(
    "--reason", required=True, callback=_words, metavar=_("TEXT"), help=_("Why it is accepted.")
)
@click.option(
    "--approver",
    required=True,
    callback=_words,
    metavar=_("NAME"),
    help=_("Who has decided that it is accepted."),
)
@click.option(
    "--until",
    required=True,
    callback=_future,
    metavar=_("DAY"),
    help=_("The last day on which it is accepted, such as 2026-12-31; a year ahead at most."),
)
@output_option
@click.pass_obj
def add(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    control: str,
    limit: str,
    reason: str,
    approver: str,
    until: date,
    output: Output,
) -> ExitCode:
    """Write a waiver and show what it accepts."""
    from orchestrator.drift.waive import Wish  # noqa: PLC0415 - start-up time

    return _add(context, Wish(control, limit, reason, approver, until), output)


def _add(context: Context, wish: "Wish", output: Output) -> ExitCode:
    from orchestrator.baseline.compile import control_named  # noqa: PLC0415 - start-up time
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415
    from orchestrator.cli.views import waiver_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.waive import add_waiver  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415

    workspace, today = context.workspace(), date.today()
    control_named(load_baseline(workspace.baseline_dirs), wish.control)
    hosts = load_hosts(workspace.settings.inventory, limit=wish.limit).hosts
    with open_store(workspace) as store:
        given = add_waiver(workspace, store, wish, [host.name for host in hosts], today)
    path = str(workspace.waivers_file)
    emit(
        output,
        lambda: waiver_view.render_added(given.waiver, given.left_out, path),
        lambda: {
            **waiver_view.entry_document(given.waiver, today),
            "left_out": dict(given.left_out),
            "file": path,
        },
    )
    return ExitCode.DONE


@group.command(
    name="list",
    help=_(
        "Show the waivers: those that expired first, then those that soon will.\n\n\b\n"
        "Example:\n  luytre waiver list --all"
    ),
)
@click.option("--all", "everything", is_flag=True, help=_("Those that were ended by hand, too."))
@output_option
@click.pass_obj
def list_waivers(context: Context, everything: bool, output: Output) -> ExitCode:
    """List the waivers of the workspace."""
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415 - start-up time
    from orchestrator.baseline.waiver_file import load_waivers  # noqa: PLC0415
    from orchestrator.cli.views import waiver_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    workspace, today = context.workspace(), date.today()
    every = load_waivers(workspace.waivers_file, today).every
    shown = [waiver for waiver in every if everything or waiver.ended is None]
    controls = load_baseline(workspace.baseline_dirs).controls
    unknown = [waiver.control for waiver in shown if waiver.control not in controls]
    emit(
        output,
        lambda: waiver_view.render(shown, today, unknown),
        lambda: waiver_view.document(shown, today),
    )
    return ExitCode.DONE


@group.command(
    help=_(
        "End a waiver now: the failure counts again from the next audit on.\n\n\b\n"
        "Example:\n  luytre waiver expire ssh-root-login-1"
    )
)
@click.argument("waiver", metavar=_("WAIVER"))
@output_option
@click.pass_obj
def expire(context: Context, waiver: str, output: Output) -> ExitCode:
    """End a waiver before its day."""
    from orchestrator.cli.views import waiver_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.waive import end_waiver  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace, today = context.workspace(), date.today()
    with open_store(workspace) as store:
        ended = end_waiver(workspace, store, waiver, today)
    told = _("{id} is ended: {control} counts as failure again from the next audit on")
    emit(
        output,
        lambda: told.format(id=ended.id, control=ended.control),
        lambda: waiver_view.entry_document(ended, today),
    )
    return ExitCode.DONE

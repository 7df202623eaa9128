"""``luytre drift``: what changed between audits."""

from datetime import datetime

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import limit_option, moment, output_option
from orchestrator.model.i18n import _, language


@click.group(
    name="drift",
    help=_("What changed since the audits before."),
    epilog=_("Example: luytre drift show --limit web"),
)
def group() -> None:
    """Group the drift commands."""


since_option = click.option(
    "--since",
    callback=moment,
    metavar=_("TIME"),
    help=_("Every change from this local time on: 2026-11-23, or '2026-11-23 14:30'."),
)
until_option = click.option(
    "--until",
    callback=moment,
    metavar=_("TIME"),
    help=_("Only what was before this local time (otherwise until now)."),
)
host_option = click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar=_("NAME"),
    help=_("Only this server; also web* for many, and servers that are gone (repeatable)."),
)


@group.command(
    help=_(
        "Show what is different: the latest audit's changes, and what is still open.\n\n\b\n"
        "Example:\n  luytre drift show --since 2026-11-23"
    )
)
@since_option
@limit_option
@output_option
@click.pass_obj
def show(context: Context, since: datetime | None, limit: str | None, output: Output) -> ExitCode:
    """Show the drift; exit 3 unless all of it was resolved."""
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import drift_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.history import current_drift, standing  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415

    workspace = context.workspace()
    names = None
    if limit is not None:
        names = [host.name for host in load_hosts(workspace.settings.inventory, limit=limit).hosts]
    with open_store(workspace) as store:
        drift = current_drift(store, since, names)
    controls = load_baseline(workspace.baseline_dirs).controls.values()
    titles = {control.id: control.title.in_language(language()) for control in controls}
    emit(output, lambda: drift_view.render(drift, titles), lambda: drift_view.document(drift))
    return ExitCode.NOT_COMPLIANT if standing(drift) else ExitCode.DONE


@group.command(
    help=_(
        "Show every change that audits found, newest first.\n\n\b\n"
        "Example:\n  luytre drift history --host web1 --since 2026-11-01"
    )
)
@host_option
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar=_("CONTROL"),
    help=_("Only this control; also ssh-* for many (repeatable)."),
)
@since_option
@until_option
@click.option("--number", default=100, type=click.IntRange(1, 1_000_000), help=_("How many."))
@output_option
@click.pass_obj
def history(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    hosts: tuple[str, ...],
    controls: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    number: int,
    output: Output,
) -> None:
    """Show transitions as they happened, resolved ones too."""
    from orchestrator.cli.views import history_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.history import matching  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.model.record import DriftFilter  # noqa: PLC0415

    with open_store(context.workspace()) as store:
        wanted = DriftFilter(
            since=since,
            until=until,
            hosts=matching(hosts, (host.name for host in store.hosts())),
            controls=matching(controls, store.controls()),
            limit=number + 1,
        )
        found = store.transitions(wanted)
    shown, more = found[:number], len(found) > number
    emit(
        output,
        lambda: history_view.render(shown, more=more),
        lambda: history_view.document(shown, more=more),
    )


@group.command(
    help=_(
        "Show how compliance went over time, by server, agency or chapter.\n\n"
        "Each mark is the last whole audit of its time; where there was none, there is a dot."
        "\n\n\b\nExample:\n  luytre drift trend --by agency --since 2026-11-01"
    )
)
@click.option(
    "--by",
    type=click.Choice(["host", "agency", "chapter"]),
    default="agency",
    show_default=True,
    help=_("What the lines stand for."),
)
@click.option(
    "--since",
    callback=moment,
    metavar=_("TIME"),
    help=_("From this local time on (otherwise the last 30 days)."),
)
@until_option
@host_option
@output_option
@click.pass_obj
def trend(
    context: Context,
    by: str,
    since: datetime | None,
    until: datetime | None,
    hosts: tuple[str, ...],
    output: Output,
) -> None:
    """Show compliance over time, from what the store holds."""
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import trend_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift import trend as use_case  # noqa: PLC0415
    from orchestrator.drift.history import matching  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.report.series import By  # noqa: PLC0415

    until = until or datetime.now().astimezone()
    since = since or until - use_case.USUAL
    if since >= until:
        raise click.UsageError(_("the time ends before it begins"))
    workspace = context.workspace()
    controls = load_baseline(workspace.baseline_dirs).controls.values()
    chapters = {control.id: control.chapter for control in controls}
    with open_store(workspace) as store:
        names = matching(hosts, (host.name for host in store.hosts()))
        edges = use_case.periods(since, until)
        seen = use_case.trend(store, By(by), edges, chapters, names)
    emit(output, lambda: trend_view.render(seen), lambda: trend_view.document(seen))

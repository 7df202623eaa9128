"""``luytre drift``: what changed between audits."""

from datetime import datetime

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.i18n import _, language


@click.group(
    name="drift",
    help=_("What changed since the audits before."),
    epilog=_("Example: luytre drift show --limit web"),
)
def group() -> None:
    """Group the drift commands."""


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Return the aware moment that ISO 8601 names; local unless it says otherwise."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError) as error:
        message = _("{value!r} is not a day or time: write 2026-11-23, or '2026-11-23 14:30'")
        raise click.BadParameter(message.format(value=value)) from error


@group.command(
    help=_(
        "Show what is different: the latest audit's changes, and what is still open.\n\n\b\n"
        "Example:\n  luytre drift show --since 2026-11-23"
    )
)
@click.option(
    "--since",
    callback=_moment,
    metavar=_("TIME"),
    help=_("Every change from this local time on: 2026-11-23, or '2026-11-23 14:30'."),
)
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

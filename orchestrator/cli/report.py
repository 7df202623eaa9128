"""``luytre report``: documents for those who asked for them."""

import os
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from orchestrator.cli.context import Context, ExitCode, Output
from orchestrator.cli.options import limit_option, moment, output_option, stale_option
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _, _n


@click.group(
    help=_(
        "Write the report that the Department asked for.\n\n"
        "\b\nExample:\n  luytre report html --organisation 'Sở Khoa học và Công nghệ'"
    )
)
def group() -> None:
    """Hold the kinds of reports."""


@group.command(
    help=_(
        "Write one HTML file that needs nothing else: read it offline, print it on A4.\n\n"
        "It holds open weaknesses, so only you can read the file.\n\n"
        "\b\nExample:\n  luytre --lang vi report html --out report.html"
    )
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar=_("FILE"),
    help=_("Where to write it; - is stdout (otherwise luytre-report-DATE.html here)."),
)
@click.option(
    "--organisation",
    default="",
    metavar=_("NAME"),
    help=_("The reporting body (otherwise the only agency of the servers)."),
)
@click.option("--parent", default="", metavar=_("NAME"), help=_("The body above it."))
@click.option(
    "--since",
    callback=moment,
    metavar=_("TIME"),
    help=_("Where trend and changes begin, as a local time (otherwise the last 30 days)."),
)
@stale_option
@limit_option
@output_option
@click.pass_obj
def html(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    out: Path | None,
    organisation: str,
    parent: str,
    since: datetime | None,
    stale: int,
    limit: str | None,
    output: Output,
) -> ExitCode:
    """Gather, render, write."""
    from orchestrator.cli.report_data import Wanted, gather  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.report.html import render_html  # noqa: PLC0415

    if since is not None and since >= datetime.now().astimezone():
        raise click.UsageError(_("the time ends before it begins"))
    workspace = context.workspace()
    wanted = Wanted(organisation, parent, limit, since, timedelta(hours=stale))
    data = gather(workspace, wanted)
    text = render_html(data, workspace.template_dirs)
    if out == Path("-"):
        click.echo(text)
        return ExitCode.DONE
    path = (out or Path(f"luytre-report-{date.today()}.html")).absolute()
    _write(path, text)
    emit(
        output,
        human=lambda: _written(path, len(data.hosts)),
        machine=lambda: {"file": str(path), "servers": len(data.hosts)},
    )
    return ExitCode.DONE


@group.command(
    help=_(
        "Show each server's compliance at its first whole audit and now.\n\n"
        "\b\nExample:\n  luytre report summary --limit web"
    )
)
@limit_option
@output_option
@click.pass_obj
def summary(context: Context, limit: str | None, output: Output) -> None:
    """Compare the reference audits with how the hosts stand now."""
    from orchestrator.cli.report_data import Wanted, gather  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import before_after_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.model.record import Compliance  # noqa: PLC0415

    data = gather(context.workspace(), Wanted(limit=limit))
    hosts = [Compliance(host.name, host.before, host.after) for host in data.hosts]
    emit(
        output,
        lambda: before_after_view.render(hosts),
        lambda: before_after_view.document(hosts),
    )


def _written(path: Path, n: int) -> str:
    told = _n("Written: {path} ({n} server)", "Written: {path} ({n} servers)", n)
    return told.format(path=path, n=n)


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".luytre-report-")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink()
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    message = _("cannot be written: {reason}").format(reason=error.strerror)
    return ConfigurationError(message, position=Position(str(path)))

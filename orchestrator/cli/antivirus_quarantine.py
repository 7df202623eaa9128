"""``luytre antivirus quarantine``: what scans took away, bring it back, delete it for good."""

import click

from orchestrator.cli.antivirus_scope import scope_of
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import limit_option, output_option, yes_option
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

_host_option = click.option("--host", required=True, metavar=_("HOST"), help=_("On this server."))
_names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME…")


@click.group(
    name="quarantine",
    help=_(
        "The files that scans took away (luytre_antivirus_quarantine), moved and never deleted.\n\n"
        "\b\nExample:\n  luytre antivirus quarantine list --limit web1"
    ),
)
def group() -> None:
    """Look after quarantines."""


@group.command(
    name="list",
    help=_(
        "Show what each server keeps in its quarantine.\n\n\b\n"
        "Example:\n  luytre antivirus quarantine list --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def list_(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Ask and show."""
    from orchestrator.cli.views import antivirus_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.protect.antivirus.quarantine import kept  # noqa: PLC0415

    scope = scope_of(context.workspace(), limit)
    found = kept(scope.fleet, scope.hosts)
    emit(
        output,
        lambda: antivirus_view.render_kept(found),
        lambda: antivirus_view.kept_document(found),
    )
    return combine(code_of_result(one) for one in found)


@group.command(
    name="restore",
    help=_(
        "Bring files back as they were: bytes, owner, permissions, times.\n\n"
        "Where something else has the place by now, nothing is written over it.\n\n\b\n"
        "Example:\n  luytre antivirus quarantine restore 0a1b2c3d4e5f6071 --host web1"
    ),
)
@_names_argument
@_host_option
@yes_option
@output_option
@click.pass_obj
def restore(
    context: Context, names: tuple[str, ...], host: str, yes: bool, output: Output
) -> ExitCode:
    """Bring back and record it."""
    question = _("Bring {names} back on {host}?").format(names=", ".join(names), host=host)
    return _moved(context, (host, "restore"), names, (question, yes), output)


@group.command(
    name="delete",
    help=_(
        "Delete files of a quarantine for good.\n\n\b\n"
        "Example:\n  luytre antivirus quarantine delete 0a1b2c3d4e5f6071 --host web1"
    ),
)
@_names_argument
@_host_option
@yes_option
@output_option
@click.pass_obj
def delete(
    context: Context, names: tuple[str, ...], host: str, yes: bool, output: Output
) -> ExitCode:
    """Delete and record it."""
    question = _("Delete {names} on {host} for good?").format(names=", ".join(names), host=host)
    return _moved(context, (host, "delete"), names, (question, yes), output)


def _moved(
    context: Context,
    what: tuple[str, str],
    names: tuple[str, ...],
    asked: tuple[str, bool],
    output: Output,
) -> ExitCode:
    from orchestrator.cli.views import antivirus_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.antivirus.quarantine import move  # noqa: PLC0415

    (host, verb), (question, yes) = what, asked
    workspace = context.workspace()
    scope = scope_of(workspace, host)
    if len(scope.hosts) != 1:
        raise ConfigurationError(_("--host takes one server: {host}").format(host=host))
    context.confirm(question, yes=yes)
    with open_store(workspace) as store:
        moved = move(scope.fleet, scope.hosts[0], verb, names)
        told = {one.name: one.problem or one.path for one in moved}
        detail = {"host": scope.hosts[0].name, "files": told}
        store.log.append(workspace.settings.operator.name, f"quarantine {verb}", detail)
    emit(
        output,
        lambda: antivirus_view.render_moved(moved),
        lambda: {"files": [vars(one) for one in moved]},
    )
    return combine(ExitCode.FAILED if one.problem else ExitCode.DONE for one in moved)

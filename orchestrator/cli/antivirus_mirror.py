"""``luytre antivirus mirror``: the signatures that are served inside the network."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.antivirus_scope import scope_of
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orchestrator.protect.antivirus.mirror import Served


@click.group(
    name="mirror",
    help=_(
        "The mirror of signatures inside the network, on the server that luytre_antivirus_mirror"
        " names.\n\n\b\nExample:\n  luytre antivirus mirror status"
    ),
)
def group() -> None:
    """Look after the mirror."""


@group.command(
    name="publish",
    help=_(
        "Publish signature FILES: main.cvd, daily.cvd, bytecode.cvd as they were fetched where"
        " there is a connection, and your own .hdb, .ndb and .yar.\n\n"
        "The mirror checks each file and loads all of them before any is served; where one is"
        " refused, what is served stays as it is. A file takes the place of the one of its kind:"
        " your own must hold the signatures that are served already, and the new ones.\n\n"
        "\b\nExample:\n  luytre antivirus mirror publish /mnt/usb/daily.cvd center.hdb"
    ),
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.option(
    "--replace",
    is_flag=True,
    help=_("Your own files need not hold what is served: signatures that they lack are gone."),
)
@limit_option
@output_option
@click.pass_obj
def publish(
    context: Context, files: tuple[Path, ...], replace: bool, limit: str | None, output: Output
) -> ExitCode:
    """Hand over, and show what is served now."""
    from orchestrator.cli.views import antivirus_steps, antivirus_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.antivirus import mirror  # noqa: PLC0415

    workspace = context.workspace()
    scope = scope_of(workspace, limit)
    mirrors, packed = scope.require_mirrors(), mirror.pack(files)
    begun = {"files": [str(file) for file in files], "replace": replace}
    with open_store(workspace) as store:
        append = partial(store.log.append, workspace.settings.operator.name)
        with _logged(append, begun, [one.name for one in mirrors]) as note:
            found = mirror.publish(scope.fleet, mirrors, packed, note, replace=replace)
    following = antivirus_steps.after_publication(found, limit)
    emit(
        output,
        lambda: antivirus_view.render_served(found, following),
        lambda: antivirus_view.served_document(found),
    )
    return combine(map(_code_of, found))


@group.command(
    name="status",
    help=_(
        "Show which signatures the mirror serves, from when they are, and whether its clients get"
        " them.\n\n\b\n"
        "Example:\n  luytre antivirus mirror status"
    ),
)
@limit_option
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Ask and show."""
    from orchestrator.cli.views import antivirus_steps, antivirus_view  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.protect.antivirus import mirror  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415

    scope = scope_of(context.workspace(), limit)
    found = mirror.served(scope.fleet, scope.require_mirrors())
    following = antivirus_steps.after_mirror_status(found, limit, utc_now())
    emit(
        output,
        lambda: antivirus_view.render_served(found, following),
        lambda: antivirus_view.served_document(found),
    )
    return combine(map(_code_of, found))


@contextmanager
def _logged(
    append: "Callable[[str, Mapping[str, Any]], object]",
    begun: "Mapping[str, Any]",
    mirrors: "Sequence[str]",
) -> "Iterator[Callable[[Served | HostError], None]]":
    """Let the log know that a publication began, and how it ended, also where it is interrupted.

    Yields what to call with how each mirror ended.
    """
    from orchestrator.change.interrupted import undisturbed  # noqa: PLC0415 - start-up time

    append("publication of signatures started", {**begun, "mirrors": list(mirrors)})
    told = dict.fromkeys(mirrors, "not waited for: it may publish all the same")

    def note(one: "Served | HostError") -> None:
        told[one.host] = one.message if isinstance(one, HostError) else one.problem

    action = "publication of signatures interrupted"
    try:
        yield note
        action = "signatures published"
    finally:
        with undisturbed():
            append(action, {**begun, "mirrors": told})


def _code_of(one: "Served | HostError") -> ExitCode:
    if isinstance(one, HostError):
        return code_of_result(one)
    if one.problem:
        return ExitCode.REFUSED
    return ExitCode.FAILED if one.unreadable or one.unanswered else ExitCode.DONE

"""``luytre intrusion check`` and ``accept``: files, compared at the controller."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent

if TYPE_CHECKING:
    from orchestrator.model.host import ManagedHost
    from orchestrator.protect.intrusion.accepting import Look
    from orchestrator.protect.intrusion.keeping import Keeping
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace


class _Ground(NamedTuple):
    hosts: "Mapping[str, ManagedHost]"
    looks: "Sequence[Look]"
    lost: Sequence[HostError]
    keeping: "Keeping"


@click.command(
    help=_(
        "Let servers read all their files now, and compare here with what was accepted.\n\n"
        "The daily comparison is the server's own; this one is made with the database that the"
        " controller keeps. What no run of ours explains becomes an alert.\n\n\b\n"
        "Example:\n  luytre intrusion check --limit web1"
    )
)
@limit_option
@output_option
@click.pass_obj
def check(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Compare and show what differs."""
    from orchestrator.cli.views import intrusion_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        ground = _looked(workspace, store, limit)
        ground.keeping.compared(ground.looks)
    emit(
        output,
        lambda: intrusion_view.render_looks(ground.looks, ground.lost),
        lambda: intrusion_view.looks_document(ground.looks, ground.lost),
    )
    differs = any(one.changes is None or one.changes for one in ground.looks)
    codes = map(code_of_result, ground.lost)
    return combine([*codes, ExitCode.NOT_COMPLIANT if differs else ExitCode.DONE])


@click.command(
    help=_(
        "Accept the files of servers as they are now: from here on, they are compared with this."
        "\n\nWhat differs from before is shown first. The database is kept here, where no intruder"
        " reaches it; open alerts of changed files are marked as looked at.\n\n\b\n"
        "Example:\n  luytre intrusion accept --limit web1 --reason 'new version of the portal'"
    )
)
@limit_option
@click.option("--reason", required=True, metavar=_("TEXT"), help=_("Why this is right."))
@click.option(
    "--take-over",
    is_flag=True,
    help=_("Also of servers whose files another workspace keeps: that one loses them."),
)
@consent_options
@output_option
@click.pass_obj
def accept(
    context: Context,
    limit: str | None,
    reason: str,
    take_over: bool,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Look, show, ask, accept."""
    from orchestrator.cli.views import intrusion_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    with open_store(workspace) as store:
        ground = _looked(workspace, store, limit)
        ground.keeping.compared(ground.looks)
        looks, others = (ground.looks, []) if take_over else ground.keeping.sort_out(ground.looks)
        lost = [*ground.lost, *others]
        if output is Output.HUMAN:
            emit(output, lambda: intrusion_view.render_looks(looks, lost), lambda: None)
        names = [one.host for one in looks]
        if names:
            context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
        refused = ground.keeping.accept(ground.hosts, looks, reason)
    lost += refused.values()
    emit(
        output,
        lambda: _("accepted: {names}").format(names=", ".join(names) or "—"),
        lambda: intrusion_view.looks_document(looks, lost),
    )
    return combine([ExitCode.DONE, *map(code_of_result, lost)])


def _looked(workspace: "Workspace", store: "Store", limit: str | None) -> _Ground:
    """Let the hosts within the limit look at every file; raises ConfigurationError."""
    from orchestrator.drift.scope import reach  # noqa: PLC0415 - start-up time
    from orchestrator.protect.intrusion.databases import Databases  # noqa: PLC0415
    from orchestrator.protect.intrusion.keeping import Keeping  # noqa: PLC0415

    fleet, hosts = reach(workspace, limit)
    fleet.require_keys(hosts)
    databases = Databases(workspace)
    keeping = Keeping(fleet, store, databases, workspace.settings.operator.name)
    results = keeping.look(hosts, now=True)
    return _Ground(
        {host.name: host for host in hosts},
        [one for one in results if not isinstance(one, HostError)],
        [one for one in results if isinstance(one, HostError)],
        keeping,
    )

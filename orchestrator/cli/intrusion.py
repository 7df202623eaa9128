"""``luytre intrusion``: let servers watch themselves, and see what they saw."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.alerts_seen import note_seen
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.intrusion_files import accept, check
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.alert import AlertKind
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent
from orchestrator.model.watch import WatchStanding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.alert import KeptAlert
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace

_kind_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in AlertKind]),
    help=_("Only alerts of this kind (repeatable)."),
)


@click.group(
    help=_(
        "Let servers tell who came and what was changed, and see what they told.\n\n\b\n"
        "Example:\n  luytre intrusion status"
    )
)
def group() -> None:
    """Watch."""


@group.command(
    name="setup",
    help=_(
        "Let servers watch themselves: the program, and the timers that call it.\n\n"
        "What was there before is what it measures by. fail2ban and AIDE are controls: apply"
        " --chapter intrusion sets them up. Done again, it changes what is different.\n\n"
        "\b\nExample:\n  luytre intrusion setup --limit web"
    ),
)
@limit_option
@consent_options
@output_option
@click.pass_obj
def set_up_(context: Context, limit: str | None, consent: Consent, output: Output) -> ExitCode:
    """Set up and show how every host was left."""
    from orchestrator.cli.left_files import LeftFiles  # noqa: PLC0415
    from orchestrator.cli.views import intrusion_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.scope import reach_within  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.intrusion.gaps import note_set_up  # noqa: PLC0415
    from orchestrator.protect.intrusion.setting_up import set_up  # noqa: PLC0415

    workspace = context.workspace()
    fleet, hosts, all_hosts = reach_within(workspace, limit)
    every = {host.name: host for host in all_hosts}
    fleet.require_keys(hosts)
    names = [host.name for host in hosts]
    context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
    with open_store(workspace) as store, progress(_("set up"), len(hosts), output) as done:
        left = set_up(workspace, fleet, hosts, every, done)
        told = {one.host: "ready" if one.ready else one.why for one in left}
        store.log.append(workspace.settings.operator.name, "watch set up", {"hosts": told})
        ready = [host for host in hosts if told[host.name] == "ready"]
        note_set_up(store, [host.name for host in ready])
        files = LeftFiles(workspace, fleet, store, ready)
        files.of_setup()
    files.tell()
    emit(
        output,
        lambda: intrusion_view.render_set_up(left),
        lambda: intrusion_view.set_up_document(left),
    )
    return combine(ExitCode.DONE if one.ready else ExitCode.FAILED for one in left)


@group.command(
    help=_(
        "Ask the servers what they saw, keep it, and tell how they are watched.\n\n"
        "A server whose watch was stopped, whose record was deleted, or whose AIDE database was"
        " replaced is told; it then gets the accepted database back. Exit 3 while an alert is"
        " open.\n\n\b\nExample:\n  luytre intrusion status --limit web"
    )
)
@limit_option
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Collect, keep up the databases, and show how each host stands."""
    from orchestrator.cli.views import intrusion_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.scope import reach  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.intrusion.collect import Collecting  # noqa: PLC0415
    from orchestrator.protect.intrusion.databases import Databases  # noqa: PLC0415
    from orchestrator.protect.intrusion.keeping import Keeping  # noqa: PLC0415

    workspace = context.workspace()
    fleet, hosts = reach(workspace, limit)
    fleet.require_keys(hosts)
    by_name = {host.name: host for host in hosts}
    databases = Databases(workspace)
    with open_store(workspace) as store, progress(_("ask"), len(hosts), output) as done:
        found = Collecting(fleet, store, databases).collect(hosts, done)
        keeping = Keeping(fleet, store, databases, workspace.settings.operator.name)
        if found.replaced:
            keeping.put_back(by_name, found)
            # What the replaced database had hidden is told now.
            again = [by_name[name] for name in found.replaced if name not in found.lost]
            found.add(Collecting(fleet, store, databases).collect(again))
        taken = keeping.compare(by_name, found)
        open_ = _open(store, [*by_name])
    standings = [found.standings.get(name, WatchStanding(name, None)) for name in by_name]
    asked = intrusion_view.Asked(standings, open_, len(found.new), taken, found.lost)
    emit(
        output,
        lambda: intrusion_view.render_status(asked),
        lambda: intrusion_view.status_document(asked),
    )
    codes = [code_of_result(problem) for problem in found.lost.values()]
    lacking = any(one.lacks or one.differ for one in standings if one.host not in found.lost)
    return combine([*codes, ExitCode.NOT_COMPLIANT if open_ or lacking else ExitCode.DONE])


@group.command(
    help=_(
        "Show the alerts that nobody has looked at, the gravest first, from the store.\n\n"
        "Servers of which none can be known are named: they are not watched, or nobody asked"
        " them.\n\n\b\n"
        "Example:\n  luytre intrusion alerts --limit web1 --all"
    )
)
@limit_option
@click.option("--all", "everything", is_flag=True, help=_("Those that were looked at, too."))
@_kind_option
@output_option
@click.pass_obj
def alerts(
    context: Context, limit: str | None, everything: bool, kinds: tuple[str, ...], output: Output
) -> ExitCode:
    """Show what the store holds."""
    from orchestrator.cli.views import intrusion_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415
    from orchestrator.model.host import Management  # noqa: PLC0415
    from orchestrator.protect.intrusion.gaps import gaps  # noqa: PLC0415
    from orchestrator.report.compliance import SEVEREST_FIRST  # noqa: PLC0415

    workspace = context.workspace()
    hosts = load_hosts(workspace.settings.inventory, limit=limit).hosts
    managed = [one.name for one in hosts if one.management is Management.MANAGED]
    # Without a limit, also those of servers that have left the inventory.
    names = [one.name for one in hosts] if limit else None
    with open_store(workspace) as store:
        newest = store.alerts(names, _kinds(kinds), only_open=not everything)
        unknown = gaps(store, managed)
    found = sorted(newest, key=lambda one: SEVEREST_FIRST.index(one.alert.severity))
    emit(
        output,
        lambda: intrusion_view.render_alerts(found, unknown),
        lambda: intrusion_view.alerts_document(found, unknown),
    )
    return ExitCode.NOT_COMPLIANT if any(one.open for one in found) else ExitCode.DONE


@group.command(
    help=_(
        "Note that alerts were looked at, and what came of it; they stay in the store.\n\n"
        "By their numbers, or all that are open within --limit and of a --kind.\n\n\b\n"
        "Example:\n  luytre intrusion seen 12 13 --remark 'new colleague, announced'\n"
        "  luytre intrusion seen --limit web1 --kind ban --remark 'guessing, kept out'"
    )
)
@click.argument("numbers", nargs=-1, type=click.IntRange(min=1), metavar=_("NUMBER…"))
@limit_option
@_kind_option
@click.option("--remark", required=True, metavar=_("TEXT"), help=_("What it was."))
@output_option
@click.pass_obj
def seen(
    context: Context,
    numbers: tuple[int, ...],
    limit: str | None,
    kinds: tuple[str, ...],
    remark: str,
    output: Output,
) -> ExitCode:
    """Mark alerts."""
    by_filter = limit is not None or bool(kinds)
    if by_filter == bool(numbers):
        raise click.UsageError(_("name alerts by their numbers, or by --limit and --kind"))
    workspace = context.workspace()

    def choose(store: "Store") -> "Sequence[int]":
        if not by_filter:
            return numbers
        found = store.alerts(_names(workspace, limit), _kinds(kinds), only_open=True)
        return [one.number for one in found]

    return note_seen(workspace, choose, remark, "alerts seen", output)


def _names(workspace: "Workspace", limit: str | None) -> list[str] | None:
    """Return the hosts within the limit, None for all that the store knows."""
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415 - start-up time

    if limit is None:
        return None
    return [one.name for one in load_hosts(workspace.settings.inventory, limit=limit).hosts]


def _kinds(kinds: tuple[str, ...]) -> frozenset[AlertKind]:
    return frozenset(map(AlertKind, kinds)) or frozenset(AlertKind)


def _open(store: "Store", names: list[str]) -> "tuple[KeptAlert, ...]":
    return store.alerts(names, only_open=True)


group.add_command(check)
group.add_command(accept)

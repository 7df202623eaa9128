"""``luytre backup``: set vaults and clients up, back up, see what came of it."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import backup_drill, backup_proofs
from orchestrator.cli.backup_scope import wanted
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.backup import BackupState
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent
from orchestrator.report.commands import to_type

if TYPE_CHECKING:
    from orchestrator.model.backup import Backup
    from orchestrator.protect.collect import Standing

_CODES = {
    BackupState.COMPLETE: ExitCode.DONE,
    BackupState.PARTIAL: ExitCode.FAILED,
    BackupState.FAILED: ExitCode.FAILED,
    BackupState.UNREACHABLE: ExitCode.UNREACHABLE,
    BackupState.BUSY: ExitCode.REFUSED,
}


@click.group(
    help=_(
        "Back servers up to an append-only vault, and see what came of it.\n\n\b\n"
        "Example:\n  luytre backup run --limit web1"
    )
)
def group() -> None:
    """Back up."""


@group.command(
    name="setup",
    help=_(
        "Set up vaults and their clients: packages, accounts, keys, repositories, timers.\n\n"
        "A server that names a vault (luytre_backup_vault) gets restic and a key of its own; the"
        " vault lets it in to add, never to delete. Done again, it changes what is different.\n\n"
        "\b\n"
        "Example:\n  luytre backup setup --limit web"
    ),
)
@limit_option
@consent_options
@output_option
@click.pass_obj
def set_up(context: Context, limit: str | None, consent: Consent, output: Output) -> ExitCode:
    """Set up and show how every host was left."""
    from orchestrator.cli.left_files import LeftFiles  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.secret_file import Passwords  # noqa: PLC0415
    from orchestrator.protect.set_up import SettingUp  # noqa: PLC0415
    from orchestrator.protect.wish import copies, vaults  # noqa: PLC0415

    workspace = context.workspace()
    fleet, wishes, every = wanted(workspace, limit)
    scratch = {wish.drill.scratch for wish in wishes if wish.drill is not None}
    stores = vaults(wishes, every)
    others = {*scratch, *copies(stores, every).values(), *(one.name for one in stores)}
    names = sorted({*(wish.host for wish in wishes), *others})
    fleet.require_keys(every[name] for name in names)
    context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
    passwords = Passwords(workspace).ensure(wish.host for wish in wishes)
    with open_store(workspace) as store:
        files = LeftFiles(workspace, fleet, store, [every[name] for name in names])
        with files.of_writing() as written, progress(_("set up"), len(wishes), output) as done:
            left = SettingUp(workspace, fleet, every, done, written).go(wishes, passwords)
            told = {one.host: "ready" if one.ready else one.why for one in left}
            store.log.append(workspace.settings.operator.name, "backup set up", {"hosts": told})
    emit(
        output,
        lambda: backup_view.render_set_up(left, to_type("backup", "run", limit=limit)),
        lambda: backup_view.set_up_document(left),
    )
    unreached, failed = ExitCode.UNREACHABLE, ExitCode.FAILED
    return combine(
        ExitCode.DONE if one.ready else unreached if one.unreached else failed for one in left
    )


@group.command(
    name="run",
    help=_(
        "Back servers up now, and show what came of it.\n\n"
        "Databases are dumped first, then the files are read; each server does its own. Only"
        " “complete” is a backup of everything that was wanted; the others name what is"
        " missing.\n\n\b\n"
        "Example:\n  luytre backup run --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def run(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Back up and keep the results."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.backup_progress import following  # noqa: PLC0415
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.run import back_up  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415
    from orchestrator.store.runs import first_id  # noqa: PLC0415

    workspace = context.workspace()
    scope = wanted(workspace, limit)
    hosts = scope.clients()
    name = first_id(utc_now())
    title = _("backing up: {n}").format(n=len(hosts))
    with open_store(workspace) as store, following(title, output) as follow:

        def keep(one: "Backup") -> None:
            if one.state is not BackupState.BUSY:
                store.save_backup(one)
            follow.done(one.host)

        drilled = any(wish.drill is not None for wish in scope.wishes)
        following_command = to_type("backup", "drill", limit=limit) if drilled else ""
        made = back_up(scope.fleet, hosts, name, follow.progress, keep)
        told = {one.host: one.state.value for one in made}
        operator = workspace.settings.operator.name
        store.log.append(operator, "backup", {"run": name, "hosts": told})
    emit(
        output,
        lambda: backup_view.render(made, following_command),
        lambda: backup_view.run_document(name, made),
    )
    return combine(_CODES[one.state] for one in made)


@group.command(
    name="list",
    help=_(
        "Show the latest backups of each server, from the store.\n\n\b\n"
        "Example:\n  luytre backup list --limit web1 --each 5"
    ),
)
@limit_option
@click.option(
    "--each",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help=_("So many of each server."),
)
@output_option
@click.pass_obj
def list_(context: Context, limit: str | None, each: int, output: Output) -> ExitCode:
    """Show what the store knows; a server without any backup is named."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    names = [wish.host for wish in wanted(workspace, limit).wishes]
    with open_store(workspace) as store:
        known = store.backups(names, each)
    never = sorted(set(names) - {one.host for one in known})
    emit(
        output,
        lambda: backup_view.render_list(known, never),
        lambda: backup_view.list_document(known, never),
    )
    return ExitCode.NOT_COMPLIANT if never else ExitCode.DONE


@group.command(
    name="status",
    help=_(
        "Fetch the results of the nightly backups and of the vaults' care, and tell what is wrong."
        "\n\nWhose whole backup is too old; what a vault found damaged, or was asked to delete."
        "\n\n\b\nExample:\n  luytre backup status --hours 26"
    ),
)
@limit_option
@click.option(
    "--hours",
    type=click.IntRange(1, 24 * 365),
    default=26,
    show_default=True,
    metavar=_("HOURS"),
    help=_("After how many hours a whole backup is too old."),
)
@output_option
@click.pass_obj
def status(context: Context, limit: str | None, hours: int, output: Output) -> ExitCode:
    """Collect, then judge every host by its newest whole backup."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.alarms import keep_alarms  # noqa: PLC0415
    from orchestrator.protect.collect import collect, standings  # noqa: PLC0415
    from orchestrator.protect.copy_view import ask_copies  # noqa: PLC0415
    from orchestrator.protect.drill_ways import DrillWays  # noqa: PLC0415
    from orchestrator.protect.late_drills import fetch_drills  # noqa: PLC0415
    from orchestrator.protect.vanished import (  # noqa: PLC0415
        looked_for,
        newest_backups,
        note_vanished,
    )
    from orchestrator.protect.vault_view import ask_vaults  # noqa: PLC0415
    from orchestrator.protect.wish import copies, vaults  # noqa: PLC0415

    workspace = context.workspace()
    scope = wanted(workspace, limit)
    hosts = scope.clients()
    stores = vaults(scope.wishes, scope.every)
    with open_store(workspace) as store, progress(_("ask"), len(hosts), output) as done:
        lost = collect(scope.fleet, hosts, store, done)
        known = newest_backups(store, scope.wishes)
        asked = looked_for(scope.wishes, known)
        surveys, silent_vaults = ask_vaults(scope.fleet, stores, asked)
        of_copies, silent_copies = ask_copies(scope.fleet, copies(stores, scope.every), scope.every)
        gone = note_vanished(store, scope.wishes, known, surveys)
        late, silent_scratch = fetch_drills(
            DrillWays(scope.fleet, scope.every), scope.wishes, store
        )
        if late:
            drilled = {one.host: one.state.value for one in late}
            store.log.append(workspace.settings.operator.name, "backup drilled", {"hosts": drilled})
        keep_alarms(store, surveys.values(), gone, of_copies)
        found = standings(store, [host.name for host in hosts], hours, lost)
    alerts = [*(alert for one in surveys.values() for alert in one.alerts), *gone]
    alerts += [alert for copy in of_copies.values() for alert in copy]
    silent = [*silent_vaults.values(), *silent_copies.values(), *silent_scratch]
    emit(
        output,
        lambda: backup_view.render_status(found, hours, alerts, silent),
        lambda: backup_view.status_document(found, hours, alerts, silent),
    )
    codes = [*map(_code_of, found), *map(code_of_result, silent)]
    return combine([*codes, *(ExitCode.NOT_COMPLIANT for _alert in alerts)])


@group.command(
    name="restore",
    help=_(
        "Restore on a server a part of its own backup into a DIRECTORY that is new or empty.\n\n"
        "Nothing that is there is touched: compare, then copy what you need. A part is files, or a"
        " database (see luytre backup list --output json).\n\n\b\n"
        "Example:\n  luytre backup restore --limit web1 --into /root/back --path /etc/nginx"
    ),
)
@limit_option
@click.option(
    "--into",
    required=True,
    metavar=_("DIRECTORY"),
    help=_("Where to on the server; it must be empty, or not there yet."),
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar=_("PATH"),
    help=_("Only this file or directory (repeatable)."),
)
@click.option(
    "--part",
    default="files",
    show_default=True,
    metavar=_("PART"),
    help=_("files, or a database such as postgresql/app."),
)
@click.option(
    "--snapshot",
    default="latest",
    show_default=True,
    metavar="ID",
    help=_("Of which snapshot."),
)
@consent_options
@output_option
@click.pass_obj
def restore(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: Context,
    limit: str | None,
    into: str,
    paths: tuple[str, ...],
    part: str,
    snapshot: str,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Restore and show what came back."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.restore import RestoreWish, restore_on  # noqa: PLC0415

    if not into.startswith("/"):
        raise click.UsageError(_("--into: not an absolute path: {path}").format(path=into))
    workspace = context.workspace()
    scope = wanted(workspace, limit)
    hosts = scope.clients()
    names = [host.name for host in hosts]
    context.confirm_hosts(names, yes=consent.yes, count=consent.count, output=output)
    with open_store(workspace) as store:
        results = restore_on(scope.fleet, hosts, RestoreWish(part, snapshot, paths, into))
        told = {
            name: one.message if isinstance(one, HostError) else one.snapshot
            for name, one in zip(names, results, strict=True)
        }
        detail = {"into": into, "part": part, "hosts": told}
        store.log.append(workspace.settings.operator.name, "backup restored", detail)
    emit(
        output,
        lambda: backup_view.render_restored(results, into),
        lambda: backup_view.restored_document(results, into),
    )
    return combine(code_of_result(one) for one in results)


def _code_of(standing: "Standing") -> ExitCode:
    if standing.lost is not None:
        return code_of_result(standing.lost)
    return ExitCode.NOT_COMPLIANT if standing.too_old else ExitCode.DONE


group.add_command(backup_drill.drill)
group.add_command(backup_proofs.verify)
group.add_command(backup_proofs.escrow)

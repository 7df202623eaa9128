"""``luytre backup verify`` and ``escrow``: that backups come back, and that they can be opened."""

from dataclasses import asdict
from pathlib import Path

import click

from orchestrator.cli.backup_scope import wanted
from orchestrator.cli.context import Context, ExitCode, Output, code_of_result, combine
from orchestrator.cli.options import limit_option, output_option
from orchestrator.cli.passphrase import Source, passphrase_options
from orchestrator.model.backup import RESTORABLE
from orchestrator.model.errors import HostError
from orchestrator.model.i18n import _
from orchestrator.report.commands import to_type


@click.command(
    name="verify",
    help=_(
        "Prove the newest backup of each server: bring back the sample and every dump, and compare."
        "\n\nWhat is compared with was hashed on the server while it was backed up, and kept here:"
        " the vault never knew it. Nothing of it stays on the server.\n\n\b\n"
        "Example:\n  luytre backup verify --limit web1"
    ),
)
@limit_option
@output_option
@click.pass_obj
def verify(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Verify and show what came of it."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect.verify import verify as prove  # noqa: PLC0415

    workspace = context.workspace()
    scope = wanted(workspace, limit)
    hosts = scope.clients()
    names = [host.name for host in hosts]
    with open_store(workspace) as store, progress(_("verify"), len(hosts), output) as done:
        newest = {one.host: one for one in store.backups(names, states=RESTORABLE)}
        results = prove(scope.fleet, hosts, newest, done)
        told = {
            one.host: one.message if isinstance(one, HostError) else one.verdict()
            for one in results
        }
        store.log.append(workspace.settings.operator.name, "backup verified", {"hosts": told})
    emit(
        output,
        lambda: backup_view.render_verified(results),
        lambda: backup_view.verified_document(results),
    )
    return combine(
        code_of_result(one)
        if isinstance(one, HostError) or not (one.problems or one.missing)
        else ExitCode.FAILED
        for one in results
    )


@click.command(
    name="escrow",
    help=_(
        "Write the sealed list for the safe into a new FILE: what opens every repository.\n\n"
        "With --verify, nothing is written: every vault opens its repositories with what the FILE"
        " holds. With --show, the list is printed, for whoever restores without this"
        " workspace.\n\n\b\n"
        "Example:\n  luytre backup escrow /mnt/usb/backups-2026-11.sealed"
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verify", is_flag=True, help=_("Prove that the list opens every repository."))
@click.option("--show", is_flag=True, help=_("Print the list, passwords too."))
@passphrase_options
@output_option
@click.pass_obj
def escrow(
    context: Context, file: Path, verify: bool, show: bool, source: Source, output: Output
) -> ExitCode:
    """Write, prove or show the list."""
    from orchestrator.cli.views import backup_view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.protect import escrow as lists  # noqa: PLC0415
    from orchestrator.protect.secret_file import Passwords  # noqa: PLC0415

    if verify and show:
        raise click.UsageError(_("name either --verify or --show"))
    if show:
        kept = lists.read(file, source.read(new=False))
        emit(output, lambda: backup_view.render_escrow(kept), lambda: asdict(kept))
        return ExitCode.DONE
    workspace = context.workspace()
    fleet, wishes, every = wanted(workspace, None)
    passwords = Passwords(workspace).read()
    if not verify:
        lists.write(
            file,
            lists.entries_of(wishes, passwords),
            workspace.settings.operator.name,
            source.read(new=True),
        )
        with open_store(workspace) as store:
            detail = {"hosts": sorted(wish.host for wish in wishes)}
            store.log.append(workspace.settings.operator.name, "backup escrow written", detail)
        proof = to_type("backup", "escrow", str(file), "--verify")
        emit(output, lambda: backup_view.render_written(file, proof), lambda: {"file": str(file)})
        return ExitCode.DONE
    kept = lists.read(file, source.read(new=False))
    fleet.require_keys(every[wish.vault] for wish in wishes)
    proofs = lists.prove(fleet, every, kept.entries)
    stale = lists.different(
        kept.entries, {wish.host: passwords.get(wish.host, "") for wish in wishes}
    )
    emit(
        output,
        lambda: backup_view.render_proofs(proofs, stale),
        lambda: {"hosts": [vars(proof) for proof in proofs], "missing": stale},
    )
    return ExitCode.FAILED if stale or any(proof.why for proof in proofs) else ExitCode.DONE

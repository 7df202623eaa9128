"""``luytre inventory``: show and check the servers; pin their host keys."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.errors import RefusedError
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.check import HostCheck
    from orchestrator.fleet.enroll import Enrolment, Judge
    from orchestrator.fleet.pins import HostKey
    from orchestrator.workspace.directory import Workspace


@click.group(
    name="inventory",
    help=_(
        "Show and check the servers; pin their host keys.\n\n"
        "\b\nExample:\n  luytre inventory enroll --limit web1"
    ),
)
def group() -> None:
    """Hold the commands about the inventory."""


@group.command(
    name="list",
    help=_("Show the servers as declared.\n\n\b\nExample:\n  luytre inventory list --limit web"),
)
@limit_option
@output_option
@click.pass_obj
def list_hosts(context: Context, limit: str | None, output: Output) -> None:
    """List the hosts; nothing is contacted."""
    from orchestrator.cli.views.output import emit  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.inventory import start_resolving  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    workspace = context.workspace()
    resolving = start_resolving(workspace.settings.inventory, limit=limit)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    hosts = resolving.result().hosts
    pins = load_pins(workspace.pins_file)
    emit(output, lambda: view.render_list(hosts, pins), lambda: view.document_list(hosts, pins))


@group.command(
    help=_(
        "Try every step on the way to each server: network, host key, login, sudo, Python.\n\n"
        "Nothing is changed on the servers.\n\n\b\n"
        "Example:\n  luytre inventory check --limit 'web*'"
    )
)
@limit_option
@output_option
@click.pass_obj
def check(context: Context, limit: str | None, output: Output) -> ExitCode:
    """Check the hosts and say what to do about each failure."""
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.check import check_hosts  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415
    from orchestrator.fleet.keys import require_keys  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    workspace = context.workspace()
    settings = workspace.settings
    inventory = load_hosts(settings.inventory, limit=limit)
    pins = load_pins(workspace.pins_file)
    hosts = [host for host in inventory.hosts if host.management is not Management.UNMANAGED]
    require_keys([host.endpoint for host in hosts], inventory.endpoints)
    with progress(_("check"), len(hosts), output) as done:
        checks = check_hosts(hosts, inventory.endpoints, pins, settings.concurrency, done)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    skipped = _unmanaged(inventory.hosts)
    emit(
        output,
        lambda: view.render_checks(checks, skipped),
        lambda: view.document_checks(checks, skipped),
    )
    return combine(_code(check) for check in checks)


def _unmanaged(hosts: Sequence[ManagedHost]) -> list[str]:
    return [host.name for host in hosts if host.management is Management.UNMANAGED]


def _code(check: "HostCheck") -> ExitCode:
    from orchestrator.fleet.check import Step  # noqa: PLC0415 - start-up time

    if check.failed is None:
        return ExitCode.DONE
    return ExitCode.FAILED if check.failed in (Step.SUDO, Step.PYTHON) else ExitCode.UNREACHABLE


@group.command(
    help=_(
        "Pin the host keys that the servers show, after comparing them.\n\n"
        "Jump hosts are enrolled as well. Without an option each key is shown and asked for. On a"
        " server's console, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows its"
        " fingerprint.\n\n\b\n"
        "Example:\n  luytre inventory enroll --fingerprints fingerprints.txt"
    )
)
@limit_option
@click.option(
    "--fingerprints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar=_("FILE"),
    help=_("Compare with this file: one line NAME SHA256:… per server. Others are refused."),
)
@click.option(
    "--yes-i-compared",
    "compared",
    is_flag=True,
    help=_("Pin every key shown, new and changed: you compared the fingerprints yourself."),
)
@output_option
@click.pass_obj
def enroll(
    context: Context, limit: str | None, fingerprints: Path | None, compared: bool, output: Output
) -> ExitCode:
    """Fetch, compare and pin host keys."""
    from orchestrator.cli.views.output import emit  # noqa: PLC0415 - start-up time
    from orchestrator.fleet import enroll as use_case  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415
    from orchestrator.fleet.keys import require_keys  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    if fingerprints is not None and compared:
        raise click.UsageError(_("--fingerprints and --yes-i-compared exclude each other"))
    workspace = context.workspace()
    judge = _judge(fingerprints, compared)
    settings = workspace.settings
    endpoints = load_hosts(settings.inventory, limit=limit).endpoints
    jumps = {endpoint.jump for endpoint in endpoints.values()}
    require_keys([one for name, one in endpoints.items() if name in jumps], endpoints)
    pins = load_pins(workspace.pins_file)
    enrolments: list[Enrolment] = []
    for finished in use_case.enroll(endpoints, pins, judge, settings.concurrency):
        _keep(workspace, finished)
        enrolments.extend(finished)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    emit(
        output,
        lambda: view.render_enrolments(enrolments),
        lambda: view.document_enrolments(enrolments),
    )
    return _outcome(enrolments)


def _judge(fingerprints: Path | None, compared: bool) -> "Judge":
    from orchestrator.fleet.enroll import by_fingerprints, read_fingerprints  # noqa: PLC0415

    if fingerprints is not None:
        return by_fingerprints(read_fingerprints(fingerprints))
    if compared:
        return lambda _name, _old, _shown: ""
    return _ask


def _ask(name: str, old: "HostKey | None", shown: "HostKey") -> str:
    """Have the operator compare one key; only the whole word counts."""
    if not sys.stdin.isatty():
        raise RefusedError(
            _("refused: nobody is there to compare fingerprints"),
            hint=_("pass --fingerprints FILE with lines NAME SHA256:…"),
        )
    if old is not None:
        warning = _("{name}: THE HOST KEY HAS CHANGED. Pinned: {fingerprint} ({type})")
        warning = warning.format(name=name, fingerprint=old.fingerprint, type=old.type)
        click.secho(warning, fg="red", err=True)
    message = _("{name} shows {fingerprint} ({type})")
    click.echo(message.format(name=name, fingerprint=shown.fingerprint, type=shown.type), err=True)
    question = _("Is that what the server's own console says? Type yes to pin it")
    answer = click.prompt(question, default="no", show_default=True, err=True)
    agreed = str(answer).strip().lower() in ("yes", _("yes"))
    return "" if agreed else _("not confirmed")


def _keep(workspace: "Workspace", finished: Sequence["Enrolment"]) -> None:
    """Write who trusted which key into the audit log, then the keys into the pins."""
    from orchestrator.cli.views.inventory_view import document_enrolment  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.pins import save_pins  # noqa: PLC0415

    trusted = [enrolment for enrolment in finished if enrolment.to_pin]
    if not trusted:
        return
    operator = workspace.settings.operator.name
    with open_store(workspace) as store:
        for enrolment in trusted:
            store.log.append(operator, "enroll", document_enrolment(enrolment))
    save_pins(workspace.pins_file, {enrolment.host: enrolment.shown for enrolment in trusted})


def _outcome(enrolments: Sequence["Enrolment"]) -> ExitCode:
    from orchestrator.fleet.enroll import Standing  # noqa: PLC0415 - start-up time

    standings = {enrolment.standing for enrolment in enrolments}
    if Standing.REFUSED in standings:
        return ExitCode.REFUSED
    return ExitCode.UNREACHABLE if Standing.UNREACHABLE in standings else ExitCode.DONE

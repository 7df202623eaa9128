"""``luytre inventory``: show, check and prepare the servers; pin their host keys."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli import bootstrap
from orchestrator.cli.context import Context, ExitCode, Output, combine
from orchestrator.cli.enrolling import Comparison, comparison_options, pin_shown
from orchestrator.cli.options import limit_option, output_option
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.i18n import _

if TYPE_CHECKING:
    from orchestrator.fleet.check import HostCheck
    from orchestrator.fleet.enroll import Enrolment

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(
    name="inventory",
    help=_(
        "Show, check and prepare the servers; pin their host keys.\n\n"
        "\b\nExample:\n  luytre inventory enroll --limit web1"
    ),
)
def group() -> None:
    """Hold the commands about the inventory."""


group.add_command(bootstrap.command)


def _inventory_option(command: Command) -> Command:
    return click.option(
        "--inventory",
        "-i",
        type=click.Path(exists=True, path_type=Path),
        metavar=_("PATH"),
        help=_("Another inventory than that of the workspace."),
    )(command)


@group.command(
    name="list",
    help=_(
        "Show the servers as declared; nobody is contacted.\n\n\b\n"
        "Example:\n  luytre inventory list --limit web\n"
        "  luytre inventory list -i inventories/example"
    ),
)
@_inventory_option
@limit_option
@output_option
@click.pass_obj
def list_hosts(context: Context, inventory: Path | None, limit: str | None, output: Output) -> None:
    """List the hosts; another inventory may be looked at without any workspace."""
    from orchestrator.cli.views.output import emit  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.inventory import start_resolving  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    workspace = context.workspace_if_any() if inventory else context.workspace()
    declared = inventory or context.workspace().settings.inventory
    resolving = start_resolving(declared, limit=limit)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    hosts = resolving.result().hosts
    pins = load_pins(workspace.pins_file) if workspace else {}
    emit(output, lambda: view.render_list(hosts, pins), lambda: view.document_list(hosts, pins))


@group.command(
    help=_(
        "Try every step on the way to each server: network, host key, login, sudo, Python; then"
        " what a change needs: systemd, room, clock, dpkg.\n\n"
        "Nothing is changed on the servers. What bootstrap can mend is told with its command."
        "\n\n\b\nExample:\n  luytre inventory check --limit 'web*'"
    )
)
@_inventory_option
@limit_option
@output_option
@click.pass_obj
def check(context: Context, inventory: Path | None, limit: str | None, output: Output) -> ExitCode:
    """Check the hosts and say what to do about each failure."""
    from orchestrator.cli.views.output import emit, progress  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.check import check_hosts  # noqa: PLC0415
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415
    from orchestrator.fleet.keys import require_keys  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    workspace = context.workspace()
    settings = workspace.settings
    found = load_hosts(inventory or settings.inventory, limit=limit)
    pins = load_pins(workspace.pins_file)
    hosts = [host for host in found.hosts if host.management is not Management.UNMANAGED]
    require_keys([host.endpoint for host in hosts], found.endpoints)
    with progress(_("check"), len(hosts), output) as done:
        checks = check_hosts(hosts, found.endpoints, pins, settings.concurrency, done)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    skipped = _unmanaged(found.hosts)
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
    on_the_way = (Step.NETWORK, Step.HOST_KEY, Step.LOGIN)
    return ExitCode.UNREACHABLE if check.failed in on_the_way else ExitCode.FAILED


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
@comparison_options
@output_option
@click.pass_obj
def enroll(context: Context, limit: str | None, comparison: Comparison, output: Output) -> ExitCode:
    """Fetch, compare and pin host keys."""
    from orchestrator.cli.views.output import emit  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415

    workspace = context.workspace()
    judge = comparison.judge()
    endpoints = load_hosts(workspace.settings.inventory, limit=limit).endpoints
    enrolments = pin_shown(workspace, endpoints, judge)
    from orchestrator.cli.views import inventory_view as view  # noqa: PLC0415

    emit(
        output,
        lambda: view.render_enrolments(enrolments),
        lambda: view.document_enrolments(enrolments),
    )
    return _outcome(enrolments)


def _outcome(enrolments: Sequence["Enrolment"]) -> ExitCode:
    from orchestrator.fleet.enroll import Standing  # noqa: PLC0415 - start-up time

    standings = {enrolment.standing for enrolment in enrolments}
    if Standing.REFUSED in standings:
        return ExitCode.REFUSED
    return ExitCode.UNREACHABLE if Standing.UNREACHABLE in standings else ExitCode.DONE

"""``luytre inventory bootstrap``: make manageable hosts of those with a password or root login."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, ExitCode, Output, check_count, combine
from orchestrator.cli.enrolling import Comparison, comparison_options, pin_shown
from orchestrator.cli.entrance import Way, entrance_options
from orchestrator.cli.options import consent_options, limit_option, output_option
from orchestrator.model.bootstrap import Bootstrapped, Standing
from orchestrator.model.errors import RefusedError
from orchestrator.model.host import Endpoint, ManagedHost, Management
from orchestrator.model.i18n import _
from orchestrator.model.selection import Consent
from orchestrator.report.commands import to_type

if TYPE_CHECKING:
    from orchestrator.fleet.check import HostCheck
    from orchestrator.fleet.enroll import Judge
    from orchestrator.fleet.inventory import Inventory
    from orchestrator.fleet.pins import HostKey
    from orchestrator.workspace.directory import Workspace

_CODES = {
    Standing.ALREADY: ExitCode.DONE,
    Standing.DONE: ExitCode.DONE,
    Standing.UNDONE: ExitCode.ROLLED_BACK,
    Standing.FAILED: ExitCode.FAILED,
    Standing.REFUSED: ExitCode.REFUSED,
    Standing.UNREACHABLE: ExitCode.UNREACHABLE,
    Standing.INTERRUPTED: ExitCode.INTERRUPTED,
}


@click.command(
    name="bootstrap",
    help=_(
        "Make servers manageable that have only a password or a root login.\n\n"
        "Logs in as --login-user, makes the inventory's ansible_user with your public key and a"
        " sudo rule, installs python3 where it is missing, and proves it over a new login with the"
        " key. What cannot be proved is undone, also when the connection drops. Servers that are"
        " manageable already stay untouched.\n\n\b\n"
        "Example:\n"
        "  luytre inventory bootstrap --limit web1\n"
        "  luytre inventory bootstrap --limit 'web*' --login-user admin --password-file pw --yes\n"
        "  luytre inventory bootstrap --limit db1 --fingerprints fingerprints.txt --no-password"
    ),
)
@limit_option
@entrance_options
@comparison_options
@consent_options
@output_option
@click.pass_obj
def command(
    context: Context,
    limit: str | None,
    way: Way,
    comparison: Comparison,
    consent: Consent,
    output: Output,
) -> ExitCode:
    """Bootstrap the hosts that need it and show how each ended."""
    from orchestrator.fleet.bootstrap import InterruptedBootstrap  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.inventory import load_hosts  # noqa: PLC0415
    from orchestrator.fleet.keys import require_keys  # noqa: PLC0415

    way.check()
    workspace = context.workspace()
    judge = comparison.judge()
    inventory = load_hosts(workspace.settings.inventory, limit=limit)
    hosts, skipped = _changeable(inventory.hosts)
    check_count(consent.count, len(hosts))
    require_keys([host.endpoint for host in hosts], inventory.endpoints)
    known = _pin_unknown(workspace, hosts, inventory, judge)
    results = {host.name: known[host.name] for host in hosts if host.name in known}
    results |= _look(workspace, [h for h in hosts if h.name not in results], inventory, output)
    needy = [host for host in hosts if host.name not in results]
    if needy:
        names = [host.name for host in needy]
        context.confirm_hosts(names, yes=consent.yes, count=_count(consent, names), output=output)
        try:
            results |= _bootstrap(workspace, needy, inventory, way, output)
        except InterruptedBootstrap as interrupted:
            results |= {one.host: one for one in interrupted.results}
            _show([results[host.name] for host in hosts], skipped, output)
            raise
    _show([results[host.name] for host in hosts], skipped, output)
    return combine(_CODES[one.standing] for one in results.values())


def _changeable(
    hosts: Sequence[ManagedHost],
) -> tuple[list[ManagedHost], Mapping[Management, list[str]]]:
    """Return the hosts that may be changed, and the names of the others by their management."""
    managed = [host for host in hosts if host.management is Management.MANAGED]
    skipped = {
        kind: [host.name for host in hosts if host.management is kind]
        for kind in (Management.AUDIT_ONLY, Management.UNMANAGED)
    }
    if not managed:
        raise RefusedError(_("no server within the limit may be changed: they are not managed"))
    return managed, skipped


def _count(consent: Consent, names: Sequence[str]) -> int | None:
    """Return the agreed number for those that are left: it was compared with the whole limit."""
    return None if consent.count is None else len(names)


def _pin_unknown(
    workspace: "Workspace", hosts: Sequence[ManagedHost], inventory: "Inventory", judge: "Judge"
) -> dict[str, Bootstrapped]:
    """Pin the keys of hosts, and of their jump hosts, that have none; return who was refused."""
    from orchestrator.fleet.enroll import Standing as Enrolled  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    pins = load_pins(workspace.pins_file)
    needed = _with_jumps(hosts, inventory.endpoints)
    if all(name in pins for name in needed):
        return {}

    def never_replace(name: str, old: "HostKey | None", shown: "HostKey") -> str:
        if old is None:
            return judge(name, old, shown)
        return _("its host key has changed")

    wanted = {host.name for host in hosts}
    refused = [
        one
        for one in pin_shown(workspace, needed, never_replace)
        if one.standing is Enrolled.REFUSED and one.host in wanted
    ]
    hint = _("compare the fingerprint with the host's own, then: {command}")
    return {
        one.host: Bootstrapped(
            one.host,
            Standing.REFUSED,
            reason=one.reason,
            hint=hint.format(command=to_type("inventory", "enroll", limit=one.host)),
        )
        for one in refused
    }


def _with_jumps(
    hosts: Sequence[ManagedHost], endpoints: Mapping[str, Endpoint]
) -> dict[str, Endpoint]:
    found: dict[str, Endpoint] = {}
    for host in hosts:
        hop: Endpoint | None = host.endpoint
        while hop is not None and hop.name not in found:
            found[hop.name] = hop
            hop = endpoints.get(hop.jump or "")
    return found


def _look(
    workspace: "Workspace",
    hosts: Sequence[ManagedHost],
    inventory: "Inventory",
    output: Output,
) -> dict[str, Bootstrapped]:
    """Return the hosts that need no bootstrap, and those that it cannot help."""
    from orchestrator.cli.views.output import progress  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.check import check_hosts  # noqa: PLC0415
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    pins = load_pins(workspace.pins_file)
    concurrency = workspace.settings.concurrency
    with progress(_("check"), len(hosts), output) as done:
        checks = check_hosts(hosts, inventory.endpoints, pins, concurrency, done)
    judged = {check.host: _judged(check) for check in checks}
    return {name: one for name, one in judged.items() if one is not None}


def _judged(check: "HostCheck") -> Bootstrapped | None:
    from orchestrator.fleet.check import Step  # noqa: PLC0415 - start-up time

    if check.manageable:
        return Bootstrapped(check.host, Standing.ALREADY)
    if check.remedy:
        return None
    lost = check.failed in (Step.NETWORK, Step.HOST_KEY)
    standing = Standing.UNREACHABLE if lost else Standing.FAILED
    return Bootstrapped(check.host, standing, reason=check.reason, hint=check.hint)


def _bootstrap(
    workspace: "Workspace",
    hosts: Sequence[ManagedHost],
    inventory: "Inventory",
    way: Way,
    output: Output,
) -> dict[str, Bootstrapped]:
    """Bootstrap the hosts; who did it, and how each ended, is written into the audit log at once.

    Raises InterruptedBootstrap, after writing how the hosts were left.
    """
    from orchestrator.change.interrupted import undisturbed  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.bootstrap_view import document_host  # noqa: PLC0415
    from orchestrator.cli.views.output import progress  # noqa: PLC0415
    from orchestrator.drift.watch import open_store  # noqa: PLC0415
    from orchestrator.fleet.bootstrap import (  # noqa: PLC0415
        InterruptedBootstrap,
        Task,
        bootstrap_hosts,
    )
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    settings = workspace.settings
    operator = settings.operator
    task = Task(
        inventory.endpoints,
        load_pins(workspace.pins_file),
        way.entrance(),
        settings.confirm_window,
        operator.ssh_key,
    )
    logged: set[str] = set()
    with open_store(workspace) as store, progress(_("bootstrap"), len(hosts), output) as done:

        def note(one: Bootstrapped) -> None:
            with undisturbed():
                store.log.append(operator.name, "bootstrap", document_host(one))
                logged.add(one.host)
            done(one.host)

        begun = {"hosts": [host.name for host in hosts], "login": way.user}
        store.log.append(operator.name, "bootstrap-begin", begun)
        try:
            results = bootstrap_hosts(hosts, task, settings.concurrency, note)
        except InterruptedBootstrap as interrupted:
            for one in interrupted.results:
                if one.host not in logged:
                    note(one)
            raise
    return {one.host: one for one in results}


def _show(
    results: Sequence[Bootstrapped], skipped: Mapping[Management, Sequence[str]], output: Output
) -> None:
    from orchestrator.cli.views import bootstrap_view as view  # noqa: PLC0415 - start-up time
    from orchestrator.cli.views.output import emit  # noqa: PLC0415

    emit(output, lambda: view.render(results, skipped), lambda: view.document(results, skipped))

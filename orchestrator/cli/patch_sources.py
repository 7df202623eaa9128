"""What ``luytre patch`` does before it plans: a dpkg half way repaired, sources asked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.context import Context, Output
from orchestrator.model.errors import HostError, HostRefusedError
from orchestrator.model.host import Management
from orchestrator.model.i18n import _, _n
from orchestrator.model.selection import Terms

if TYPE_CHECKING:
    from orchestrator.drift.scope import Scope
    from orchestrator.model.host import ManagedHost
    from orchestrator.protect.patching import Refreshed
    from orchestrator.workspace.directory import Workspace


def refreshed(
    workspace: "Workspace", scope: "Scope", output: Output, *, wait: int = 0
) -> list[HostError]:
    """Let the hosts of a scope ask their sources; return what failed, a dpkg half way among it.

    Hosts that are only audited are left as they are.
    """
    told = _ask_sources(workspace, scope, _managed(scope), output, wait=wait)
    return [_error(one) for one in told if isinstance(one, HostError) or one.broken]


def repaired(
    context: Context, scope: "Scope", terms: Terms, output: Output, *, wait: int
) -> list[HostError]:
    """Do the same; where dpkg was interrupted, ask, and let it be brought to its end first."""
    from orchestrator.cli.planning import tell  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    workspace = context.workspace()
    told = _ask_sources(workspace, scope, _managed(scope), output, wait=wait)
    broken = {one.host: one.broken for one in told if not isinstance(one, HostError) and one.broken}
    failed = [one for one in told if isinstance(one, HostError)]
    if not broken:
        return failed
    for host, why in broken.items():
        tell(output, f"{host}: {why}", {"note": {"message": why, "host": host}})
    question = _n(
        "Repair dpkg on {n} host, before anything is planned?",
        "Repair dpkg on {n} hosts, before anything is planned?",
        len(broken),
    )
    context.confirm(question.format(n=len(broken)), yes=terms.consent.yes)
    hosts = [host for host in scope.hosts if host.name in broken]
    with open_store(workspace) as store:
        again = _ask_sources(workspace, scope, hosts, output, wait=wait, repair=True)
        ends = {one.host: str(one) if isinstance(one, HostError) else "repaired" for one in again}
        store.log.append(workspace.settings.operator.name, "dpkg repaired", {"hosts": ends})
    for host in (one.host for one in again if not isinstance(one, HostError)):
        message = _("{host}: dpkg was interrupted and is repaired").format(host=host)
        tell(output, message, {"note": {"message": message, "host": host}})
    return [*failed, *(one for one in again if isinstance(one, HostError))]


def _managed(scope: "Scope") -> "list[ManagedHost]":
    return [host for host in scope.hosts if host.management is Management.MANAGED]


def _ask_sources(
    workspace: "Workspace",
    scope: "Scope",
    hosts: "Sequence[ManagedHost]",
    output: Output,
    *,
    wait: int,
    repair: bool = False,
) -> "list[Refreshed | HostError]":
    from orchestrator.cli.views.output import progress  # noqa: PLC0415 - start-up time
    from orchestrator.protect.patching import Terms as Asking  # noqa: PLC0415
    from orchestrator.protect.patching import refresh  # noqa: PLC0415
    from orchestrator.store.repository import utc_now  # noqa: PLC0415
    from orchestrator.store.runs import first_id  # noqa: PLC0415

    scope.fleet.require_keys(hosts)
    asking = Asking(first_id(utc_now()), workspace.settings.operator.name, repair, wait)
    with progress(_("ask the sources"), len(hosts), output) as done:
        return refresh(scope.fleet, hosts, asking, done)


def _error(told: "Refreshed | HostError") -> HostError:
    """Return why a host's sources were not asked."""
    return told if isinstance(told, HostError) else HostRefusedError(told.host, told.broken)

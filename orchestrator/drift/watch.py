"""The daily use case: audit, remember, say what is different."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.drift.audit import audit_fleet
from orchestrator.drift.record import record_audit
from orchestrator.drift.scope import Scope
from orchestrator.drift.underway import started
from orchestrator.model.drift import Drift
from orchestrator.model.errors import Interrupted
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.record import NewRun, Run, RunKind, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


@dataclass(frozen=True)
class Watch:
    """One recorded audit of a fleet."""

    run: Run
    audits: tuple[HostAudit, ...]
    drift: tuple[Drift, ...]


@contextmanager
def open_store(workspace: Workspace) -> Iterator["Store"]:
    """Yield the workspace's store, made where it is missing."""
    from orchestrator.store.repository import Store  # noqa: PLC0415 - start-up time

    workspace.prepare_state()
    with Store.open(workspace.store_file) as store:
        yield store


def watch(
    workspace: Workspace,
    scope: Scope,
    store: "Store",
    on_done: Callable[[str], None] = lambda _host: None,
) -> Watch:
    """Audit every host of the scope and record what was found. Raises Interrupted."""
    settings = workspace.settings
    selection = scope.selection
    new = NewRun(
        RunKind.AUDIT,
        settings.operator.name,
        profile=settings.profile,
        limit=selection.limit or "",
        scope=selection.part,
    )
    with started(workspace, store, new) as run:
        try:
            found = audit_fleet(
                scope.fleet, scope.hosts, scope.manifests, lambda host, _audit: on_done(host.name)
            )
            audits = tuple(scope.waivers.marked(audit) for audit in found)
            hosts = {host.name: host for host in scope.hosts}
            drift = record_audit(store, run, audits, scope.manifests, hosts)
        except BaseException as problem:
            interrupted = isinstance(problem, Interrupted | KeyboardInterrupt)
            store.finish_run(run.id, RunStatus.INTERRUPTED if interrupted else RunStatus.FAILED)
            raise
        failed = all(audit.reach is not Reach.ANSWERED for audit in audits)
        store.finish_run(run.id, RunStatus.FAILED if failed else RunStatus.DONE)
    return Watch(run, audits, drift)


def by_host(audits: tuple[HostAudit, ...]) -> Mapping[str, HostAudit]:
    """Return the audits by the host's name."""
    return {audit.host: audit for audit in audits}

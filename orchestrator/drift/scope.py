"""What a command works on: the hosts within the limit, the way to them, what is wanted of them."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orchestrator.baseline.waivers import NONE, Waivers
from orchestrator.fleet.inventory import Inventory, load_hosts, start_resolving
from orchestrator.model.control import Baseline
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.manifest import Manifest
from orchestrator.model.record import Run
from orchestrator.model.selection import Selection
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.fleet.agent import Fleet


@dataclass(frozen=True)
class Scope:
    """Hosts with their manifests; ``unmanaged`` are the inventory's hosts that nobody audits.

    ``waivers`` are those of the workspace, on this day.
    """

    fleet: "Fleet"
    hosts: tuple[ManagedHost, ...]
    unmanaged: tuple[str, ...]
    manifests: Mapping[str, Manifest]
    baseline: Baseline
    selection: Selection
    waivers: Waivers = NONE

    def only(self, hosts: Sequence[ManagedHost]) -> "Scope":
        """Return the same for some of the hosts, as if they had been named as the limit.

        What is recorded of it must not pass for something said of all hosts.
        """
        limit = ",".join(host.name for host in hosts)
        return replace(self, hosts=tuple(hosts), selection=replace(self.selection, limit=limit))

    @property
    def wanted(self) -> Mapping[str, Manifest]:
        """Return the manifests without what is to be taken out."""
        without = self.selection.without
        return {name: manifest.without(without) for name, manifest in self.manifests.items()}

    def leaving(self, host: str) -> dict[str, Any] | None:
        """Return which controls a host is to take out, as its agent is asked; None for none.

        Only a plan of the whole profile knows which of those on the host are wanted no more.
        """
        selection = self.selection
        if selection.without:
            return {"only": list(selection.without), "force": selection.forced}
        if selection.part:
            return None
        return {"keep": [c["id"] for c in self.manifests[host].controls if c["desired"]]}

    def titles(self, language: str) -> dict[str, str]:
        """Return the controls' titles in a language."""
        return {c.id: c.title.in_language(language) for c in self.baseline.controls.values()}


def gather(
    workspace: Workspace, selection: Selection, meanwhile: Callable[[], object] = lambda: None
) -> Scope:
    """Return what a command works on. Raises ConfigurationError; nothing was contacted yet.

    Ansible takes half a second to resolve the inventory, in a process of its own: we read and
    import in that time, and ``meanwhile`` is called for what the command itself has to prepare.
    """
    resolving = start_resolving(workspace.settings.inventory, limit=selection.limit)
    try:
        baseline = _get_ready(workspace)
        waivers = _waivers(workspace)
        meanwhile()
    except BaseException:
        resolving.cancel()
        raise
    inventory = resolving.result()
    hosts = tuple(h for h in inventory.hosts if h.management is not Management.UNMANAGED)
    unmanaged = tuple(h.name for h in inventory.hosts if h.management is Management.UNMANAGED)
    fleet = _fleet(workspace, inventory)
    manifests = _manifests(workspace, baseline, hosts, selection)
    return Scope(fleet, hosts, unmanaged, manifests, baseline, selection, waivers)


def whole_of(workspace: Workspace, fleet: "Fleet", hosts: Sequence[ManagedHost]) -> Scope:
    """Return the scope of a whole audit of hosts that a command has reached already."""
    baseline = _get_ready(workspace)
    selection = Selection(limit=",".join(host.name for host in hosts))
    manifests = _manifests(workspace, baseline, hosts, selection)
    waivers = _waivers(workspace)
    return Scope(fleet, tuple(hosts), (), manifests, baseline, selection, waivers)


def _get_ready(workspace: Workspace) -> Baseline:
    gc.disable()
    try:
        return _import_and_read(workspace)
    finally:
        gc.freeze()  # it all stays to the end: no use in looking for garbage in it
        gc.enable()


def _import_and_read(workspace: Workspace) -> Baseline:
    from orchestrator.baseline import compile  # noqa: F401, A004, PLC0415 - meanwhile
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415
    from orchestrator.fleet import dial, pack  # noqa: F401, PLC0415
    from orchestrator.store import repository  # noqa: F401, PLC0415

    baseline = load_baseline(workspace.baseline_dirs)
    pack.prepare("audit")
    return baseline


def _waivers(workspace: Workspace) -> Waivers:
    from orchestrator.baseline.waiver_file import load_waivers  # noqa: PLC0415 - meanwhile

    return load_waivers(workspace.waivers_file)


def selection_of(workspace: Workspace, run: Run, names: Sequence[str]) -> Selection:
    """Return the selection of a run, for these hosts; raises ConfigurationError."""
    from orchestrator.baseline.load import load_baseline  # noqa: PLC0415 - start-up time

    controls = load_baseline(workspace.baseline_dirs).controls
    words = run.scope.split()
    return Selection(
        limit=",".join(names),
        chapters=tuple(w for w in words if w not in controls and not w.startswith("-")),
        controls=tuple(word for word in words if word in controls),
        without=tuple(word[1:] for word in words if word.startswith("-")),
    )


def reach(workspace: Workspace, limit: str | None) -> tuple["Fleet", tuple[ManagedHost, ...]]:
    """Return how to reach the hosts within the limit, for commands that need no baseline."""
    fleet, hosts, _left = reach_to_change(workspace, limit)
    return fleet, hosts


def reach_to_change(
    workspace: Workspace, limit: str | None
) -> tuple["Fleet", tuple[ManagedHost, ...], tuple[str, ...]]:
    """Return the same, and the names of the hosts within the limit that are never changed."""
    inventory = load_hosts(workspace.settings.inventory, limit=limit)
    hosts = _managed(inventory.hosts)
    left = tuple(h.name for h in inventory.hosts if h.management is not Management.MANAGED)
    return _fleet(workspace, inventory), hosts, left


def reach_within(
    workspace: Workspace, limit: str | None
) -> tuple["Fleet", tuple[ManagedHost, ...], tuple[ManagedHost, ...]]:
    """Return how to reach every managed host, those within the limit, and all of them.

    For commands that also work on hosts which those within the limit name.
    """
    inventory = load_hosts(workspace.settings.inventory, limit=limit, beyond=True)
    within, every = _managed(inventory.hosts), _managed(inventory.every)
    return _fleet(workspace, inventory), within, every


def _managed(hosts: Sequence[ManagedHost]) -> tuple[ManagedHost, ...]:
    return tuple(host for host in hosts if host.management is Management.MANAGED)


def _fleet(workspace: Workspace, inventory: Inventory) -> "Fleet":
    from orchestrator.fleet.agent import Fleet  # noqa: PLC0415 - start-up time
    from orchestrator.fleet.pins import load_pins  # noqa: PLC0415

    pins = load_pins(workspace.pins_file)
    concurrency, key = workspace.settings.concurrency, workspace.digest_key()
    return Fleet(inventory.endpoints, pins, concurrency, key)


def _manifests(
    workspace: Workspace,
    baseline: Baseline,
    hosts: Sequence[ManagedHost],
    selection: Selection,
) -> dict[str, Manifest]:
    from orchestrator.baseline.compile import FleetCompiler  # noqa: PLC0415 - start-up time

    compiler = FleetCompiler(
        baseline,
        workspace.settings.profile,
        workspace.template_dirs,
        chapters=selection.chapters,
        controls=selection.controls,
    )
    return {host.name: compiler.manifest(host) for host in hosts}

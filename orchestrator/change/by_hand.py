"""A run that is prepared here and played by hand: its directory, from its making to its end."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.change.course import Agreed
from orchestrator.change.order import Order
from orchestrator.change.outcomes import wanted_by, with_unplanned
from orchestrator.change.payloads import write_payloads
from orchestrator.change.preflight import preflight
from orchestrator.change.run import new_run, order_of
from orchestrator.drift.scope import Scope
from orchestrator.drift.underway import is_under_way, started
from orchestrator.fleet.by_hand import Command, is_played, require_one_password, write_by_hand
from orchestrator.fleet.playbooks import Play
from orchestrator.fleet.reaper import end_processes
from orchestrator.model.change import HostOutcome, HostPlan, Outcome
from orchestrator.model.errors import RefusedError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.record import Run, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

# A host begins a prepared run for an hour, and waits for its confirmation for another at most.
_BEGUN_SECONDS = 3600
_FORGOTTEN_SECONDS = 4 * 3600
_DIRECTORY = "by-hand"
_PLAN = "plan.json"


@dataclass(frozen=True)
class Prepared:
    """A run that waits to be played; ``command`` is None where no host can be changed."""

    run: Run
    command: Command | None
    outcomes: tuple[HostOutcome, ...]


@dataclass(frozen=True)
class Expected:
    """What a prepared run is to do: seconds that hosts wait, and by host the controls it changes.

    ``wanted`` are those of them that must hold afterwards.
    """

    window: int
    changed: Mapping[str, tuple[str, ...]]
    wanted: Mapping[str, tuple[str, ...]]


def prepare(
    workspace: Workspace, scope: Scope, store: "Store", agreed: Agreed, window: int
) -> Prepared:
    """Make a recorded run ready to be played by hand; its hosts will wait ``window`` seconds.

    Nothing is changed: the preflight leaves a key in the memory of each host, nothing more. Raises
    RefusedError, before anything is recorded, where no single password for sudo would do, or a link
    stands in the place of the directory.
    """
    changing = [host for host in scope.hosts if _changes(agreed, host.name)]
    require_one_password(changing)
    sweep(workspace)
    with started(workspace, store, new_run(workspace, scope, agreed)) as run:
        status = RunStatus.INTERRUPTED
        try:
            store.save_steps(run.id, [host.name for host in changing], "waiting")
            order = replace(order_of(workspace, scope, store, run, agreed.plans), window=window)
            command, outcomes = _make_ready(workspace, scope, order, changing)
            told = [*agreed.left_out, *(_beside_plan(one, agreed.plans) for one in outcomes)]
            for outcome in told:
                store.save_host_outcome(run.id, outcome)
            detail = {"run": run.id, "hosts": {one.host: one.outcome.value for one in told}}
            store.log.append(run.operator, "apply prepared", detail | {"note": run.note})
            if command is None:
                status = RunStatus.DONE
        finally:
            store.finish_run(run.id, status)
    return Prepared(run, command, tuple(told))


def _changes(agreed: Agreed, host: str) -> bool:
    return host in agreed.plans and bool(agreed.plans[host].changes)


def _beside_plan(outcome: HostOutcome, plans: Mapping[str, HostPlan]) -> HostOutcome:
    return with_unplanned(outcome, plans[outcome.host])


def _make_ready(
    workspace: Workspace, scope: Scope, order: Order, changing: Sequence[ManagedHost]
) -> tuple[Command | None, list[HostOutcome]]:
    """Return the command for the hosts that can be changed, and the outcomes of all."""
    unchanged = set(order.plans) - {host.name for host in changing}
    same = [HostOutcome(name, Outcome.UNCHANGED) for name in sorted(unchanged)]
    ready, refused = preflight(scope.fleet, changing, order)
    outcomes = [*same, *refused.values()]
    if not ready:
        return None, outcomes
    directory = _new_directory(workspace, order.run)
    try:
        variables = write_payloads(directory, [host.name for host in ready], order)
        play = Play(order.playbook, ready, variables, order.pins_file)
        _write_expected(directory, order, ready)
        command = write_by_hand(play, scope.fleet, directory)
    except BaseException:
        shutil.rmtree(directory)
        raise
    told = _("prepared to be played by hand; next: luytre runs resume {run}")
    reason = told.format(run=order.run)
    return command, [*outcomes, *(HostOutcome(h.name, Outcome.INTERRUPTED, reason) for h in ready)]


def _new_directory(workspace: Workspace, run: str) -> Path:
    workspace.prepare_state()
    home = _home(workspace)
    home.mkdir(mode=0o700, exist_ok=True)
    directory = home / run
    directory.mkdir(mode=0o700)
    return directory


def _home(workspace: Workspace) -> Path:
    """Return where prepared runs stand; raises RefusedError where a link would lead elsewhere."""
    home = workspace.state / _DIRECTORY
    if home.is_symlink():
        raise RefusedError(_("{path} is a symlink: refused").format(path=home))
    return home


def _write_expected(directory: Path, order: Order, hosts: Sequence[ManagedHost]) -> None:
    plans = [order.plans[host.name] for host in hosts]
    told = {
        "window": order.window,
        "changed": {p.host: [change.control for change in p.changes] for p in plans},
        "wanted": {p.host: sorted(wanted_by(p)) for p in plans},
    }
    (directory / _PLAN).write_text(json.dumps(told))


def directory_of(workspace: Workspace, run: str) -> Path | None:
    """Return the directory of a run that was prepared to be played by hand; None for others."""
    directory = workspace.state / _DIRECTORY / run
    return directory if (directory / _PLAN).is_file() else None


def is_fresh(directory: Path) -> bool:
    """Say whether hosts still begin a prepared run when its command is typed."""
    return time.time() - (directory / _PLAN).stat().st_mtime < _BEGUN_SECONDS


def expected(directory: Path) -> Expected:
    """Return what a prepared run is to do."""
    told = json.loads((directory / _PLAN).read_text())
    changed, wanted = (
        {host: tuple(controls) for host, controls in told[key].items()}
        for key in ("changed", "wanted")
    )
    return Expected(told["window"], changed, wanted)


def remove(directory: Path) -> None:
    """Remove a prepared run's directory, and end what still works with it on this machine."""
    end_processes(directory)
    shutil.rmtree(directory)


def sweep(workspace: Workspace) -> None:
    """Remove the directories of runs that no host knows as waiting, and that nobody works on.

    Raises RefusedError where a link stands in the place of them all.
    """
    home = _home(workspace)
    for directory in home.iterdir() if home.is_dir() else ():
        old = time.time() - directory.stat().st_mtime > _FORGOTTEN_SECONDS
        if old and not is_played(directory) and not is_under_way(workspace, directory.name):
            remove(directory)

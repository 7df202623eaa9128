"""Which runs are under way: each holds a lock that ends with its process, however that ends.

The store alone cannot tell: a killed controller, or one that lost its power, leaves its run there
as running. The locks lie beside the store, one empty file per run.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.model.errors import ConfigurationError, RefusedError
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_DIRECTORY = "running"


@contextmanager
def started(workspace: Workspace, store: "Store", new: NewRun) -> Iterator[Run]:
    """Write a run that starts now into the store, and hold it under way until the block ends."""
    place = workspace.prepare_state() / _DIRECTORY
    _prepare(place)
    with ExitStack() as held:
        with _lock(place, os.O_DIRECTORY, fcntl.LOCK_EX):
            _sweep(place)
            run = store.start_run(new)
            file = place / run.id
            held.enter_context(_lock(file, os.O_CREAT, fcntl.LOCK_EX))
            held.callback(file.unlink, missing_ok=True)
        yield run


@contextmanager
def taken_up(workspace: Workspace, run: str) -> Iterator[None]:
    """Hold a run that the store knows already under way until the block ends.

    Raises RefusedError where a process works on it.
    """
    place = workspace.prepare_state() / _DIRECTORY
    _prepare(place)
    with ExitStack() as held:
        with _lock(place, os.O_DIRECTORY, fcntl.LOCK_EX):
            file = place / run
            try:
                held.enter_context(_lock(file, os.O_CREAT, fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError as problem:
                message = _("run {run} is under way: a process works on it")
                raise RefusedError(message.format(run=run)) from problem
            held.callback(file.unlink, missing_ok=True)
        yield


def is_under_way(workspace: Workspace, run: str) -> bool:
    """Return whether a process of this workspace works on a run now."""
    place = workspace.state / _DIRECTORY
    if not place.is_dir():
        return False
    # Nobody may look between the entry in the store and the lock.
    with _lock(place, os.O_DIRECTORY, fcntl.LOCK_EX):
        return (place / run).exists() and _is_held(place / run)


def as_they_are(workspace: Workspace, runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return runs of the store; those that say running while nobody runs them are interrupted."""
    return tuple(
        replace(run, status=RunStatus.INTERRUPTED)
        if run.status is RunStatus.RUNNING and not is_under_way(workspace, run.id)
        else run
        for run in runs
    )


def _prepare(place: Path) -> None:
    """Make the directory of the locks; raises ConfigurationError where there is a link."""
    if place.is_symlink():
        raise ConfigurationError(_("{path} is a symlink: refused").format(path=place))
    place.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _lock(place: Path, how: int, kind: int) -> Iterator[None]:
    # Not inherited: what we start (Ansible) may outlive us, but does not work on the run for us.
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | how, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _is_held(file: Path) -> bool:
    try:
        with _lock(file, 0, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


def _sweep(place: Path) -> None:
    """Remove the locks of processes that are gone."""
    for file in place.iterdir():
        if not _is_held(file):
            file.unlink()

"""How runs and set-ups of ours left files: asked when they end, kept, and never asked again.

By this alone a changed file is one of ours: by its path and by how it stands. Whatever is done to
the same file afterwards is another state, and no run's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.told import Topic
from orchestrator.model.watch import SET_UP, FileChange
from orchestrator.protect.intrusion import told
from orchestrator.protect.intrusion.databases import Databases
from orchestrator.protect.intrusion.host import ask
from orchestrator.protect.on_host.watching.entries import plain
from orchestrator.protect.written import Written

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

# What a kernel brought is read once.
_SECONDS = 900.0
_Said = tuple[datetime, dict[str, str]]


class LeftFile(NamedTuple):
    """How a run left one file: its state, the run, and when the host said so."""

    state: str
    run: str
    at: datetime


@dataclass(frozen=True)
class Left:
    """How runs of ours left the files of one host: by path, the oldest first."""

    files: Mapping[str, tuple[LeftFile, ...]] = field(default_factory=dict)

    def attributed(self, changes: Sequence[FileChange], looked: datetime) -> tuple[FileChange, ...]:
        """Return changes that a look found, each with the run that left the file so, if one did.

        A file is as the newest run before the look left it, or as one did that ended after it.
        """
        return tuple(replace(one, run=self._run_of(one, looked)) for one in changes)

    def _run_of(self, change: FileChange, looked: datetime) -> str:
        known = self.files.get(plain(change.path), ())
        before = [one for one in known if one.at <= looked]
        after = [one for one in known if one.at > looked]
        counting = (*before[-1:], *after)
        return next((one.run for one in counting if one.state == change.state), "")

    def with_run(self, run: str, at: datetime, states: Mapping[str, str]) -> "Left":
        """Return the same with what one more run left."""
        added = {
            path: (*self.files.get(path, ()), LeftFile(state, run, at))
            for path, state in states.items()
        }
        return Left({**self.files, **added})

    def since(self, looked: datetime) -> "Left":
        """Return what was left after a look: the rest is in the database that it made."""
        rest = {
            path: kept
            for path, every in self.files.items()
            if (kept := tuple(one for one in every if one.at > looked))
        }
        return Left(rest)


class Leaving:
    """What was left on the hosts of a workspace, in its store."""

    def __init__(self, fleet: Fleet, store: "Store", databases: Databases) -> None:
        self._fleet = fleet
        self._store = store
        self._databases = databases

    def note_runs(
        self,
        hosts: Sequence[ManagedHost],
        runs: Mapping[str, Sequence[str]],
        label: str,
        began: datetime,
    ) -> dict[str, HostError]:
        """Ask hosts how runs left their files, and keep it; return which did not say so.

        ``runs`` names them by host; they began after ``began``. Raises Interrupted,
        ControllerError.
        """
        asked = [host for host in self._explaining(hosts) if runs.get(host.name)]

        def work(host: ManagedHost) -> _Said:
            with self._fleet.login(host) as login:
                age = (datetime.now(UTC) - began).total_seconds()
                said = ask(login, "left", f"{age:.0f}", *runs[host.name], seconds=_SECONDS)
            return told.left(host.name, said)

        return self._note(asked, work, label)

    def note_setup(self, hosts: Sequence[ManagedHost]) -> dict[str, HostError]:
        """Ask hosts the same of what setting the watch up wrote."""

        def work(host: ManagedHost) -> _Said:
            with self._fleet.login(host) as login:
                return told.left(host.name, ask(login, "left", "0", seconds=_SECONDS))

        return self._note(self._explaining(hosts), work, SET_UP)

    def note_written(self, hosts: Sequence[ManagedHost], written: Written) -> dict[str, HostError]:
        """Ask hosts how another set-up, which has ended, left what it wrote there, and keep it."""

        def work(host: ManagedHost) -> _Said:
            with self._fleet.login(host) as login:
                age = (datetime.now(UTC) - written.began).total_seconds()
                asked = {**written.on(host.name), "age": age}
                said = ask(login, "written", stdin=asked, seconds=_SECONDS)
            return told.left(host.name, said)

        concerned = [host for host in hosts if host.name in written.hosts]
        return self._note(self._explaining(concerned), work, SET_UP)

    def _explaining(self, hosts: Sequence[ManagedHost]) -> list[ManagedHost]:
        """Return the hosts with something to explain: of the others no database was accepted."""
        accepted = self._databases.accepted()
        return [host for host in hosts if host.name in accepted]

    def _note(
        self, hosts: Sequence[ManagedHost], work: Callable[[ManagedHost], _Said], label: str
    ) -> dict[str, HostError]:
        names = [host.name for host in hosts]
        before = left_of(self._store, names)
        # What an intruder changed is not ours because a run of ours then changed the same file.
        theirs = {
            one.host: {*one.answer.get("unexplained", ())}
            for one in self._store.answers(Topic.INTRUSION, names)
        }
        lost: dict[str, HostError] = {}
        for host, one in zip(hosts, over_hosts(hosts, work, self._fleet.concurrency), strict=True):
            if isinstance(one, HostError):
                lost[host.name] = one
                continue
            at, states = one
            ours = {path: states[path] for path in states.keys() - theirs.get(host.name, set())}
            kept = before.get(host.name, Left()).with_run(label, at, ours)
            save(self._store, host.name, kept)
        return lost


def left_of(store: "Store", names: Sequence[str]) -> dict[str, Left]:
    """Return what runs left on hosts, by name."""
    return {one.host: _read(one.answer) for one in store.answers(Topic.LEFT, names)}


def save(store: "Store", host: str, left: Left) -> None:
    """Keep what runs left on a host."""
    files = {
        path: [[one.state, one.run, one.at.isoformat()] for one in every]
        for path, every in left.files.items()
    }
    store.save_answer(host, Topic.LEFT, {"files": files})


def _read(answer: Mapping[str, Any]) -> Left:
    files = {
        path: tuple(LeftFile(state, run, datetime.fromisoformat(at)) for state, run, at in every)
        for path, every in answer.get("files", {}).items()
    }
    return Left(files)

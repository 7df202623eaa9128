"""Resume of a run that somebody plays by hand: confirm its hosts over fresh logins."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.change.by_hand import Expected, expected, is_fresh, remove
from orchestrator.change.confirm import Window, follow_host, state_of
from orchestrator.change.confirmed import closed
from orchestrator.change.outcomes import outcome_of_error, settled_for
from orchestrator.change.resume import OPEN, Seen, how_it_ended
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import by_host, watch
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.by_hand import is_played
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import lock_holder
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.record import HostRun, Run, RunStatus
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_PAUSE = 1.0
_SECONDS = 60.0
# How long a play that has come to its end for a host may take to remove its packages (seconds).
_REMOVAL_SECONDS = 900.0
# How long a play may take to end once all its hosts have (seconds).
_RECAP_SECONDS = 10.0


def resume_by_hand(
    workspace: Workspace,
    store: "Store",
    resumed: tuple[Run, Sequence[HostRun]],
    scope: Scope,
    directory: Path,
    give_up: Callable[[], None],
) -> list[HostOutcome]:
    """Confirm the hosts of a prepared run as they converge, audit them, tell how each ended.

    A host to which a play may still come is waited for as long as one goes on. What is half done,
    and nobody plays any more, goes back. The directory is removed once all is known. Raises
    Interrupted: what is known by then is recorded, the rest can be resumed. Where somebody may
    still type the command, ``give_up`` is called first, and raises what keeps the run.
    """
    run, hosts = resumed
    plan, stop = expected(directory), threading.Event()
    open_ = {one.host for one in hosts if one.outcome in OPEN and one.host in plan.changed}
    asked = [host for host in scope.hosts if host.name in open_]
    settling = _Settling(scope.fleet, run.id, directory, plan, stop)
    if not _is_played_or_over(settling, asked):
        give_up()
    detail = {"run": run.id, "hosts": sorted(open_)}
    store.log.append(workspace.settings.operator.name, "apply resumed", detail)

    def keep(_host: ManagedHost, seen: Seen | HostError) -> None:
        if isinstance(seen, Seen) and seen.known:
            store.save_host_outcome(run.id, seen.outcome)

    try:
        # One that waits must not keep another from its confirmation.
        told = over_hosts(asked, settling.see, max(1, len(asked)), keep)
    finally:
        stop.set()
    seen = [
        Seen(outcome_of_error(one), known=False) if isinstance(one, HostError) else one
        for one in told
    ]
    outcomes = _audited(workspace, store, scope, plan, [one.outcome for one in seen])
    for one, outcome in zip(seen, outcomes, strict=True):
        if one.known:
            store.save_host_outcome(run.id, outcome)
    whole = all(one.known for one in seen) and {host.name for host in asked} == open_
    store.finish_run(run.id, RunStatus.DONE if whole else RunStatus.INTERRUPTED)
    ends = {outcome.host: outcome.outcome.value for outcome in outcomes}
    ended = {"run": run.id, "status": "done" if whole else "interrupted", "hosts": ends}
    store.log.append(workspace.settings.operator.name, "apply ended", ended)
    if whole:
        _await_recap(directory)
        remove(directory)
    lost = _("not asked: it is not among the managed hosts of the inventory any more")
    names = sorted(open_ - {host.name for host in asked})
    return [*outcomes, *(HostOutcome(name, Outcome.FAILED, lost) for name in names)]


def _is_played_or_over(settling: "_Settling", hosts: Sequence[ManagedHost]) -> bool:
    """Say whether some host knows of the run, or none would begin it any more."""
    if is_played(settling.directory) or not is_fresh(settling.directory):
        return True
    seen = over_hosts(hosts, settling.stands, max(1, len(hosts)))
    return any(isinstance(one, HostError) or one for one in seen)


def _audited(
    workspace: Workspace,
    store: "Store",
    scope: Scope,
    plan: Expected,
    outcomes: Sequence[HostOutcome],
) -> list[HostOutcome]:
    """Return what an audit of the confirmed hosts makes of the outcomes."""
    confirmed = {one.host for one in outcomes if one.outcome is Outcome.CONFIRMED}
    if not confirmed:
        return list(outcomes)
    again = scope.only([host for host in scope.hosts if host.name in confirmed])
    audits = by_host(watch(workspace, again, store).audits)
    return [
        settled_for(one, plan.wanted.get(one.host, ()), audits.get(one.host)) for one in outcomes
    ]


def _await_recap(directory: Path) -> None:
    deadline = time.monotonic() + _RECAP_SECONDS
    while is_played(directory) and time.monotonic() < deadline:
        time.sleep(_PAUSE / 10)


@dataclass(frozen=True)
class _Settling:
    """Sees each host of one prepared run to its end."""

    fleet: Fleet
    run: str
    directory: Path
    plan: Expected
    stop: threading.Event

    def see(self, host: ManagedHost) -> Seen:
        """Return how the run ended on a host; raises HostError."""
        state = self._come_to(host)
        if state == "unknown":
            with self.fleet.login(host) as login:
                ask(login, {"operation": "forget", "run": self.run}, seconds=_SECONDS)
            return Seen(HostOutcome(host.name, Outcome.NOT_STARTED, _("it was never played there")))
        changed = self.plan.changed.get(host.name, ())
        outcome = HostOutcome(host.name, Outcome.CONFIRMED, "", changed)
        if state in ("armed", "converged", ""):
            window = Window(self.run, self.plan.window, changed, self.stop)
            outcome = follow_host(self.fleet, host, window, _("the play tells why"))
        elif state != "confirmed":
            return how_it_ended(self.fleet, host, self.run)
        if outcome.outcome is Outcome.CONFIRMED:
            outcome = self._closed(host, outcome)
        return Seen(outcome, known=outcome.outcome is not Outcome.UNREACHABLE)

    def _come_to(self, host: ManagedHost) -> str:
        """Return how the run stands once no play is to bring it further; empty if out of sight."""
        while not self.stop.is_set():
            played = is_played(self.directory)
            try:
                state, holding = self._look(host)
            except HostError:
                return ""
            begins = state == "begun" or (state == "unknown" and holding)
            if not played or not (begins or state == "unknown"):
                return "begun" if begins else state
            self.stop.wait(_PAUSE)
        return ""

    def stands(self, host: ManagedHost) -> bool:
        """Say whether a host knows of the run, or is held for it; raises HostError."""
        state, holding = self._look(host)
        return holding or state != "unknown"

    def _look(self, host: ManagedHost) -> tuple[str, bool]:
        """Return the state of the run on a host, and whether the host is held for it."""
        with self.fleet.login(host) as login:
            told = ask(login, {"operation": "status"}, seconds=_SECONDS).result
        return state_of(host.name, told, self.run), lock_holder(host.name, told) == self.run

    def _closed(self, host: ManagedHost, outcome: HostOutcome) -> HostOutcome:
        """Let the play remove packages, if it is to; close the run where it does not.

        Raises HostError where the host stays held, or does not say how it ended.
        """
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while not self.stop.is_set():
            played = is_played(self.directory) and time.monotonic() < deadline
            if not played or not self._look(host)[1]:
                with self.fleet.login(host) as login:
                    return closed(login, self.run, outcome.changed)
            self.stop.wait(_PAUSE)
        return outcome

"""Apply: preflight, playbook, confirm each host as soon as it has converged, tell how it ended."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any

from orchestrator.change.confirm import (
    Window,
    await_rollback,
    confirm_host,
    follow_host,
    taken_back,
)
from orchestrator.change.confirmed import closed
from orchestrator.change.interrupted import InterruptedRun, left_to_itself, undisturbed
from orchestrator.change.order import Order
from orchestrator.change.outcomes import joined, way_back_failed
from orchestrator.change.own_roles import OwnPlays
from orchestrator.change.payloads import write_payloads
from orchestrator.change.playing import Playing
from orchestrator.change.preflight import check, preflight
from orchestrator.change.recorded import Report
from orchestrator.change.rollback import take_back
from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.playbooks import (
    Event,
    Play,
    SilentPlayError,
    private_directory,
    run_play,
)
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, ControllerError, HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.report.words import step_name

# The tasks of harden.yml whose failure means more than that the host failed.
_BEFORE_CONVERGE = ("Begin", "Packages")
_CONVERGE = "Converge"
_WAIT = "Wait for confirm"
_FINISH = "Finish"
# How a converge may say that it ended; without such a word it may go on.
_ENDED = ("rolled_back", "broken", "dropped", "refused")
# How long a host may converge before its timer takes it back: CONVERGE_SECONDS of the agent.
CONVERGE_SECONDS = 240
# More than the controller's own way to a host that has waited as long as it may.
_WAY_SECONDS = 60
# Hundreds of packages, initial RAM disks and modules that are built for a new kernel.
_UPDATES_SECONDS = 3600


def apply_to(
    fleet: Fleet, hosts: Sequence[ManagedHost], order: Order, report: Report
) -> list[HostOutcome]:
    """Change the hosts that have changes planned and return how each of all of them ended.

    ``report`` is told (host, step) before each step, from several threads. When the operator
    interrupts, what is armed is taken back at once, and InterruptedRun tells how each host was
    left; a second time, the hosts are left to take themselves back.
    """
    wanted = [host for host in hosts if order.plans[host.name].changes]
    outcomes = {h.name: HostOutcome(h.name, Outcome.UNCHANGED) for h in hosts if h not in wanted}
    own = OwnPlays(fleet, order.own, order.run, report)
    try:
        ready = _get_ready(fleet, wanted, order, own, outcomes, report)
        if ready:
            work = _Work(fleet, ready, order, report)
            outcomes.update(own.after(ready, work.run()))
    except InterruptedRun as interrupted:
        told = interrupted.beside(outcomes)
        outcomes = own.told(told.outcomes)
        raise InterruptedRun(order.run, outcomes, told.alone, told.cause) from interrupted
    except (Interrupted, KeyboardInterrupt) as problem:
        reason = _("interrupted before anything was changed")
        left = {h.name: HostOutcome(h.name, Outcome.INTERRUPTED, reason) for h in wanted}
        raise InterruptedRun(order.run, own.told({**left, **outcomes})) from problem
    outcomes = own.told(outcomes)
    return [outcomes[host.name] for host in hosts]


def _get_ready(
    fleet: Fleet,
    hosts: Sequence[ManagedHost],
    order: Order,
    own: OwnPlays,
    outcomes: dict[str, HostOutcome],
    report: Report,
) -> list[ManagedHost]:
    """Return the hosts that can be changed; how the others ended is entered into ``outcomes``."""
    for host in hosts:
        report(host.name, "preflight")
    if order.own.roles.before:
        # Nothing of the operator's may run where the change would be refused.
        hosts, refused = check(fleet, hosts, order)
        outcomes.update(refused)
        hosts, failed = own.before(hosts)
        outcomes.update(failed)
    ready, refused = preflight(fleet, hosts, order)
    outcomes.update(refused)
    return ready


class _Work:
    """One play and the confirmations that it sets off."""

    def __init__(
        self, fleet: Fleet, hosts: Sequence[ManagedHost], order: Order, report: Report
    ) -> None:
        self._fleet = fleet
        self._hosts = {host.name: host for host in hosts}
        self._order = order
        self._tell = report
        self._outcomes: dict[str, HostOutcome] = {}
        self._confirming: dict[str, Future[HostOutcome]] = {}
        # When hosts had converged (Unix time): from then on their window counts.
        self._converged: dict[str, float] = {}
        # The hosts that Ansible saw to their end.
        self._finished: set[str] = set()
        self._cancelled = threading.Event()
        self._stopped_by: ControllerError | None = None

    def run(self) -> dict[str, HostOutcome]:
        """Run the play, and see every host to its end."""
        playing = Playing(self._play)
        try:
            playing.wait()
            wait(self._confirming.values())
            self._close_lost()
        except KeyboardInterrupt as problem:
            raise self._interrupted(playing) from problem
        self._stopped_by = self._stopped_by or self._unseen(playing.failure)
        if self._stopped_by is not None:
            raise self._interrupted(playing) from self._stopped_by
        for name, future in self._confirming.items():
            # What failed after confirm (a removal) stays visible.
            self._outcomes.setdefault(name, future.result())
        return self._outcomes

    def _unseen(self, failure: BaseException | None) -> ControllerError | None:
        """Return why the run cannot go on where Ansible saw a host to no end: it may be armed.

        What is known of each host is worth more than that Ansible failed as a whole.
        """
        if failure is not None and not isinstance(failure, ControllerError):
            raise failure
        unended = self._unended()
        if isinstance(failure, SilentPlayError):
            # They hang: to ask them to go back would hang as well, and their timers do it.
            for name in unended:
                self._outcomes[name] = HostOutcome(name, Outcome.FAILED, failure.message)
            return None
        if not unended:
            return None
        return failure or ControllerError(_("Ansible did not say how every host ended"))

    def _close_lost(self) -> None:
        """Close confirmed runs whose hosts Ansible lost before the removals were over.

        They would hold their hosts for an hour.
        """
        lost = [
            self._hosts[name]
            for name, future in self._confirming.items()
            if future.result().outcome is Outcome.CONFIRMED
            and name not in self._finished
            and any(change.remove for change in self._order.plans[name].changes)
        ]

        def close(host: ManagedHost) -> HostOutcome:
            with self._fleet.login(host) as login:
                return closed(login, self._order.run)

        for host, told in zip(lost, over_hosts(lost, close, self._fleet.concurrency), strict=True):
            reason = _("confirmed, but the connection was lost before its packages were removed")
            kept = HostOutcome(host.name, Outcome.FAILED, reason)
            kept = self._outcomes.get(host.name, kept)
            why = told.message if isinstance(told, HostError) else told.reason
            self._outcomes[host.name] = replace(kept, reason=joined(kept.reason, why))

    def _play(self) -> None:
        try:
            with private_directory() as directory:
                order, hosts = self._order, list(self._hosts.values())
                variables = write_payloads(directory, list(self._hosts), order)
                silence = silence_of(order, self._hosts)
                play = Play(order.playbook, hosts, variables, order.pins_file, silence=silence)
                run_play(play, self._fleet, directory, self._on_event, self._cancelled)
        except OSError as problem:
            why = _("Ansible did not work: {why}").format(why=problem.strerror or problem)
            self._stop(ControllerError(why))

    def _stop(self, problem: ControllerError) -> None:
        """Let the run go back wherever it is not confirmed: it cannot go on here."""
        self._stopped_by = self._stopped_by or problem
        self._cancelled.set()

    def _report(self, host: str, step: str) -> None:
        """Tell of a step; where it cannot be written down, the run is stopped and goes back."""
        try:
            self._tell(host, step)
        except ControllerError as problem:
            self._stop(problem)

    def _on_event(self, event: Event) -> None:
        if event.kind == "ok":
            self._report(event.host, event.task.lower())
            if event.task == _FINISH:
                self._finished.add(event.host)
            elif event.task == _CONVERGE:
                self._converged[event.host] = time.time()
                self._on_converged(event)
        elif event.kind == "failed":
            self._on_failure(event, event.told)
        else:
            self._on_loss(event, _reason(event))

    def _on_converged(self, event: Event) -> None:
        try:
            with well_formed(event.host):
                changed = texts(event.told.get("changed", []))
        except AgentError as problem:
            self._await(event.host, problem.message)
        else:
            self._confirm(event.host, changed)

    def _on_failure(self, event: Event, told: Mapping[str, Any]) -> None:
        failed = _failed(event, told)
        if event.task == _CONVERGE and told.get("state") not in _ENDED:
            # Nobody knows whether it goes on: the host will tell how it ended.
            self._await(event.host, failed.reason)
        elif event.task in _BEFORE_CONVERGE and not told:
            self._attend(event.host, lambda: self._taken_back(failed))
        elif self._order.updates and told.get("state") in ("rolled_back", "broken"):
            self._see_through(event.host, lambda: failed)
        elif event.task != _WAIT or event.host not in self._confirming:
            # Where it waited in vain, the confirmation itself tells why. What failed first counts.
            self._outcomes.setdefault(event.host, failed)

    def _on_loss(self, event: Event, why: str) -> None:
        if event.task in _BEFORE_CONVERGE:
            lost = HostOutcome(event.host, Outcome.UNREACHABLE, why)
            self._attend(event.host, lambda: self._taken_back(lost))
        elif event.host not in self._confirming:
            # The connection is gone, but the work on the host goes on in a unit of its own.
            self._follow(event.host, why)
        elif event.task != _WAIT:
            reason = f"{step_name(event.task)}: {why}"[:1000]
            self._outcomes[event.host] = HostOutcome(event.host, Outcome.FAILED, reason)

    def _whole(self, ended: HostOutcome) -> HostOutcome:
        """Return how a host ended; after updates, one that went back gets its packages back too.

        A host's own way back leaves dpkg alone, and may fail for that: services start again with
        the old packages only.
        """
        if not self._order.updates or ended.outcome not in (Outcome.ROLLED_BACK, Outcome.FAILED):
            return ended
        whole = self._taken_back(ended)
        if whole.outcome is Outcome.ROLLED_BACK and ended.outcome is Outcome.FAILED:
            told = _("taken back with its packages, after this: {why}").format(why=whole.reason)
            return replace(whole, reason=told)
        return whole

    def _taken_back(self, ended: HostOutcome) -> HostOutcome:
        host = self._hosts[ended.host]
        return taken_back(self._fleet, host, self._order.run, ended)

    def _confirm(self, name: str, changed: tuple[str, ...]) -> None:
        window = Window(self._order.run, self._order.window, changed, self._cancelled)
        self._report(name, "confirm")
        self._see_through(name, lambda: confirm_host(self._fleet, self._hosts[name], window))

    def _await(self, name: str, why: str) -> None:
        window = Window(self._order.run, self._order.window, (), self._cancelled)
        self._see_through(name, lambda: await_rollback(self._fleet, self._hosts[name], window, why))

    def _follow(self, name: str, why: str) -> None:
        changed = tuple(sorted(change.control for change in self._order.plans[name].changes))
        window = Window(self._order.run, self._order.window, changed, self._cancelled)
        self._report(name, "confirm")
        self._see_through(name, lambda: follow_host(self._fleet, self._hosts[name], window, why))

    def _see_through(self, name: str, work: Callable[[], HostOutcome]) -> None:
        """Let a thread see to a host, and to its packages where it goes back."""
        self._attend(name, lambda: self._whole(work()))

    def _attend(self, name: str, work: Callable[[], HostOutcome]) -> None:
        """Let a thread see to a host: one that is waited for in vain keeps no other waiting."""
        future: Future[HostOutcome] = Future()

        def carry_out() -> None:
            try:
                future.set_result(work())
            except BaseException as problem:  # noqa: BLE001 - raised again by result()
                future.set_exception(problem)

        self._confirming[name] = future
        # A daemon: who interrupts twice does not wait for hosts that do not answer.
        threading.Thread(target=carry_out, name=f"confirm {name}", daemon=True).start()

    def _interrupted(self, playing: Playing) -> InterruptedRun:
        """Take back what is under way; when interrupted again, leave the hosts to themselves."""
        self._cancelled.set()
        try:
            for name in self._unended():
                self._report(name, "take back")
            playing.wait()
            wait(self._confirming.values())
            self._keep_ended()
            left = [host for name, host in self._hosts.items() if name not in self._outcomes]
            over_hosts(left, self._take_back, self._fleet.concurrency, self._keep)
        except (KeyboardInterrupt, Interrupted):
            self._keep_ended()
        with undisturbed():
            alone = {name: self._left(name) for name in self._hosts if name not in self._outcomes}
            told = self._outcomes | alone
            return InterruptedRun(self._order.run, told, tuple(alone), self._stopped_by)

    def _unended(self) -> list[str]:
        """Return the hosts that something still goes on with."""
        ended = {name for name, future in list(self._confirming.items()) if future.done()}
        return [name for name in self._hosts if name not in {*self._outcomes, *ended}]

    def _keep_ended(self) -> None:
        """Keep what is known for good of the hosts that were attended to."""
        for name, future in list(self._confirming.items()):
            if future.done() and future.exception() is None:
                outcome = future.result()
                if outcome.outcome in (Outcome.CONFIRMED, Outcome.ROLLED_BACK):
                    self._outcomes.setdefault(name, outcome)

    def _take_back(self, host: ManagedHost) -> HostOutcome:
        outcome = take_back(self._fleet, host, self._order.run, force=True)
        if outcome.outcome is Outcome.ROLLED_BACK:
            return outcome
        return self._left(host.name, outcome.reason)

    def _keep(self, host: ManagedHost, taken: HostOutcome | HostError) -> None:
        if isinstance(taken, HostError):
            raise taken
        self._outcomes[host.name] = taken

    def _left(self, name: str, why: str = "") -> HostOutcome:
        """Return the outcome of a host that is left to its timer; ``why`` is why that is so."""
        window = self._order.window
        latest = self._converged.get(name, time.time() + CONVERGE_SECONDS) + window
        return left_to_itself(name, self._order.run, latest, why)


def silence_of(order: Order, hosts: Iterable[str]) -> int:
    """Return for how many seconds a play may say nothing, beyond what any play may.

    Hosts that remove packages wait in the play for their confirmation, as long as their window and
    a converge. One that brings many packages up to date says nothing meanwhile.
    """
    changes = [change for host in hosts for change in order.plans[host].changes]
    waits = any(change.remove for change in changes)
    window = order.window + CONVERGE_SECONDS + _WAY_SECONDS if waits else 0
    return max(window, _UPDATES_SECONDS if order.updates else 0)


def _reason(event: Event) -> str:
    """Return why a task failed, as the agent or Ansible says."""
    told = (event.told.get("reason"), event.result.get("msg"))
    return next((one for one in told if one and isinstance(one, str)), _("no reason was given"))


def _failed(event: Event, told: Mapping[str, Any]) -> HostOutcome:
    reason = f"{step_name(event.task)}: {in_words(_reason(event))}"[:1000]
    state = told.get("state")
    if state == "rolled_back":
        return HostOutcome(event.host, Outcome.ROLLED_BACK, reason)
    if state == "refused":
        return HostOutcome(event.host, Outcome.REFUSED, reason)
    if state == "broken":
        return HostOutcome(event.host, Outcome.FAILED, way_back_failed(event.host, reason))
    return HostOutcome(event.host, Outcome.FAILED, reason)

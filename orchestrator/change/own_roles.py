"""The operator's own roles before and after the change of hosts: played apart, never journaled.

They are plays of their own: nothing that a role sets, ships or calls like a task of ours can reach
the tasks of the change.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.change.interrupted import InterruptedRun
from orchestrator.change.outcomes import joined
from orchestrator.change.playing import Playing
from orchestrator.change.recorded import Report
from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.own_play import DONE, OwnPlaces, own_play
from orchestrator.fleet.playbooks import Event, private_directory, run_play
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import ControllerError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.workspace.own_roles import OwnRoles

BEFORE, AFTER = "own roles before", "own roles after"
# What a failed task says is the roles' own and of any length.
_LONGEST_REASON = 500
_LONGEST_COMPLAINT = 200


@dataclass(frozen=True)
class Own:
    """Which roles run, and where a play of them finds what it needs."""

    roles: OwnRoles
    places: OwnPlaces


class OwnPlays:
    """The own roles beside one change; remembers on which hosts they began."""

    def __init__(self, fleet: Fleet, own: Own, run: str, report: Report) -> None:
        self._fleet = fleet
        self._own = own
        self._run = run
        self._report = report
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def before(
        self, hosts: Sequence[ManagedHost]
    ) -> tuple[list[ManagedHost], dict[str, HostOutcome]]:
        """Run the roles before a change; return the hosts to change, and how the others ended.

        Raises KeyboardInterrupt once Ansible has ended.
        """
        self._begun |= {host.name for host in hosts}
        troubles = self._play(hosts, self._own.roles.before, BEFORE)
        return [host for host in hosts if host.name not in troubles], troubles

    def after(
        self, hosts: Sequence[ManagedHost], ended: Mapping[str, HostOutcome]
    ) -> dict[str, HostOutcome]:
        """Run the roles after the change on the hosts that were confirmed; return how all ended.

        Raises InterruptedRun with what is known of each.
        """
        confirmed = [host for host in hosts if ended[host.name].outcome is Outcome.CONFIRMED]
        if not confirmed or not self._own.roles.after:
            return dict(ended)
        try:
            troubles = self._play(confirmed, self._own.roles.after, AFTER)
        except KeyboardInterrupt as problem:
            raise InterruptedRun(self._run, ended) from problem
        self._ended |= {host.name for host in confirmed}
        reason = _("confirmed, but {why}")
        failed = {
            name: replace(
                ended[name], outcome=Outcome.FAILED, reason=reason.format(why=trouble.reason)
            )
            for name, trouble in troubles.items()
        }
        return {**ended, **failed}

    def told(self, outcomes: Mapping[str, HostOutcome]) -> dict[str, HostOutcome]:
        """Tell beside the outcomes what own roles did that stays, and which of them did not run."""
        return {name: self._told(outcome) for name, outcome in outcomes.items()}

    def _told(self, outcome: HostOutcome) -> HostOutcome:
        if outcome.host in self._ended:
            return outcome
        if outcome.outcome is Outcome.CONFIRMED and self._own.roles.after:
            reason = joined(_("confirmed"), outcome.reason, _not_seen(self._own.roles))
            return replace(outcome, outcome=Outcome.INTERRUPTED, reason=reason)
        if outcome.host in self._begun:
            return beside_own(outcome, self._own.roles)
        return outcome

    def _play(
        self, hosts: Sequence[ManagedHost], roles: Sequence[str], step: str
    ) -> dict[str, HostOutcome]:
        """Play roles; return the outcomes of the hosts where they did not come to their end."""
        if not hosts:
            return {}
        for host in hosts:
            self._report(host.name, step)
        watch = _Watch()
        cancelled = threading.Event()

        def work() -> None:
            with private_directory() as directory:
                play = own_play(directory, hosts, roles, self._own.places)
                run_play(play, self._fleet, directory, watch.hear, cancelled)

        playing = Playing(work)
        try:
            playing.wait()
        except KeyboardInterrupt:
            cancelled.set()
            playing.wait()
            raise
        missing = _("they left the play before its end")
        if isinstance(playing.failure, ControllerError):
            missing = playing.failure.message
        elif playing.failure is not None:
            raise playing.failure
        return watch.troubles([host.name for host in hosts], roles, missing)


class _Watch:
    """Hears what becomes of own roles on each host."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._last: dict[str, Event] = {}

    def hear(self, event: Event) -> None:
        """Keep what counts: the play's own last task, and what failed last."""
        if event.kind == "ok" and event.task == DONE and not event.role:
            self._done.add(event.host)
        elif event.kind != "ok" and not event.ignored:
            self._last[event.host] = event

    def troubles(
        self, hosts: Sequence[str], roles: Sequence[str], missing: str
    ) -> dict[str, HostOutcome]:
        """Return the outcomes of the hosts that did not come to the end of their roles."""
        return {
            host: self._trouble(host, roles, missing) for host in hosts if host not in self._done
        }

    def _trouble(self, host: str, roles: Sequence[str], missing: str) -> HostOutcome:
        event = self._last.get(host)
        if event is None:
            told = _("the own roles {names} did not come to their end: {why}")
            reason = told.format(names=", ".join(roles), why=missing)
            return HostOutcome(host, Outcome.FAILED, reason[:_LONGEST_REASON])
        lost = event.kind == "unreachable"
        told = _("the own role {name} failed: {task}: {why}")
        if lost:
            told = _("the connection was lost in the own role {name}: {task}: {why}")
        name = event.role or ", ".join(roles)
        reason = told.format(name=name, task=event.task, why=_why(event.result))
        outcome = Outcome.UNREACHABLE if lost else Outcome.FAILED
        return HostOutcome(host, outcome, reason[:_LONGEST_REASON])


def _why(result: Mapping[str, Any]) -> str:
    """Return why a task failed, as Ansible and the program that it ran say."""
    message, complaint = result.get("msg"), result.get("stderr")
    words = [message if isinstance(message, str) and message else _("no reason was given")]
    if isinstance(complaint, str) and complaint.strip():
        words.append(complaint.strip().splitlines()[-1][:_LONGEST_COMPLAINT])
    return ": ".join(words)


def beside_own(outcome: HostOutcome, roles: OwnRoles) -> HostOutcome:
    """Tell beside an outcome what the roles before did that stays, and which did not run after."""
    stays = _("what the own roles did before it stays: {names}")
    missing = _("the own roles after it did not run: {names}")
    reason = joined(
        outcome.reason,
        stays.format(names=", ".join(roles.before)) if roles.before else "",
        missing.format(names=", ".join(roles.after)) if roles.after else "",
    )
    return replace(outcome, reason=reason)


def seen_by_nobody(outcome: HostOutcome, step: str, roles: OwnRoles) -> HostOutcome:
    """Return what own roles make of an outcome that only the host knew: whoever ran them is gone.

    ``step`` is the last that the run had come to.
    """
    if outcome.outcome is Outcome.CONFIRMED and roles.after:
        reason = joined(_("confirmed"), outcome.reason, _not_seen(roles))
        return replace(outcome, outcome=Outcome.FAILED, reason=reason)
    if outcome.outcome is Outcome.CONFIRMED or step in ("waiting", "preflight") or not roles:
        return outcome
    return beside_own(outcome, roles)


def _not_seen(roles: OwnRoles) -> str:
    told = _("nobody saw the end of the own roles after it: {names}")
    return told.format(names=", ".join(roles.after))

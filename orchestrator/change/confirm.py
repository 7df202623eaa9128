"""Confirm: prove over a fresh login that a changed host is still manageable, or see it go back."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.change.confirmed import is_settling, outcome_of_confirmed
from orchestrator.change.health import failing_checks
from orchestrator.change.outcomes import joined, way_back_failed
from orchestrator.change.rollback import take_back
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.told import known_run, text, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, HostRefusedError, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.text import quoted

# A reload of sshd refuses connections for 10 to 20 ms; the pauses grow from here (seconds).
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_LOGIN_SECONDS = 5.0
# The rollback of a host takes a moment after its timer fired (seconds).
_ROLLBACK_GRACE = 45.0
_UNDER_WAY = ("begun", "armed", "converged", "rolling_back")


@dataclass(frozen=True)
class Window:
    """One run on one host that waits for its confirmation for ``seconds``.

    Setting ``stop`` ends every waiting: the operator interrupted.
    """

    run: str
    seconds: int
    changed: tuple[str, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)


def confirm_host(fleet: Fleet, host: ManagedHost, window: Window) -> HostOutcome:
    """Confirm one host within its window, or report how it went back. Never raises HostError.

    A new TCP connection is made for every attempt: an old one may live where new ones are blocked.
    """
    last = ""
    deadline = time.monotonic() + window.seconds
    pause = _FIRST_PAUSE
    while time.monotonic() < deadline and not window.stop.is_set():
        try:
            return _confirmed(fleet, host, window)
        except HostRefusedError as problem:
            # That it went back meanwhile is no reason: what kept it from being confirmed is.
            last = last or problem.message
            break
        except (UnreachableError, AgentError) as problem:
            last = problem.message
        window.stop.wait(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return await_rollback(fleet, host, window, last)


def follow_host(fleet: Fleet, host: ManagedHost, window: Window, why: str) -> HostOutcome:
    """Confirm a host that converges out of our sight once it has converged, or tell how it ended.

    ``why`` is how it came out of sight. A converge that never began is taken back. Never raises
    HostError.
    """
    patience = window.seconds + _ROLLBACK_GRACE
    deadline = time.monotonic() + patience
    state = ""
    while time.monotonic() < deadline and not window.stop.is_set():
        try:
            state = run_state(fleet, host, window.run)
        except (UnreachableError, AgentError, HostRefusedError):
            state = ""
        if state == "converged":
            return confirm_host(fleet, host, window)
        if state == "armed":
            # Its own timer ends this: it is waited for as long as it says so.
            deadline = time.monotonic() + patience
        elif state not in ("", "begun"):
            break
        window.stop.wait(_LONGEST_PAUSE / 2)
    if state == "begun" and not window.stop.is_set():
        return taken_back(fleet, host, window.run, HostOutcome(host.name, Outcome.FAILED, why))
    return await_rollback(fleet, host, window, why)


def taken_back(fleet: Fleet, host: ManagedHost, run: str, ended: HostOutcome) -> HostOutcome:
    """Take a run back that did not come as far as converge, so that it holds the host no more.

    ``ended`` is how it ended; the packages that it installed go with it.
    """
    taken = take_back(fleet, host, run, force=True)
    if taken.outcome is Outcome.ROLLED_BACK:
        reason = joined(ended.reason, taken.reason)
        return replace(ended, outcome=Outcome.ROLLED_BACK, reason=reason)
    # A host that took its settings back, and not its packages, is not as it was.
    lost = Outcome.FAILED if ended.outcome is Outcome.ROLLED_BACK else ended.outcome
    return replace(ended, outcome=lost, reason=f"{ended.reason}; {taken.reason}")


def await_rollback(fleet: Fleet, host: ManagedHost, window: Window, why: str) -> HostOutcome:
    """Wait until an unconfirmed host has taken itself back, and say what it says of the run.

    One that was confirmed all the same, and is not settled, may be so by its timer: it is given as
    long.
    """
    deadline = time.monotonic() + window.seconds + _ROLLBACK_GRACE
    last, held = why, None
    while time.monotonic() < deadline and not window.stop.is_set():
        try:
            facts = _facts(fleet, host)
            goes_on = state_of(host.name, facts, window.run) in _UNDER_WAY
            ended = None if goes_on else _ended(host.name, window, facts, why)
            if ended is not None and not is_settling(host.name, facts, window.run):
                return ended
            held = ended
        except (UnreachableError, AgentError, HostRefusedError) as problem:
            last = problem.message
        window.stop.wait(_LONGEST_PAUSE / 2)
    if held is not None:
        return held
    message = _("not confirmed ({why}) and not seen again: {last}").format(why=why, last=last)
    return HostOutcome(host.name, Outcome.UNREACHABLE, message, window.changed)


def run_state(fleet: Fleet, host: ManagedHost, run: str) -> str:
    """Return how a run stands on its host, ``unknown`` where the host knows none of that name."""
    return state_of(host.name, _facts(fleet, host), run)


def state_of(host: str, facts: Mapping[str, Any], run: str) -> str:
    """Return the state of a run in what a host says of its runs, ``unknown`` where it is not there.

    Raises AgentError for facts that tell no runs.
    """
    known = known_run(host, facts, run)
    with well_formed(host):
        return text(known["state"]) if known else "unknown"


def _facts(fleet: Fleet, host: ManagedHost) -> Mapping[str, Any]:
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        return ask(login, {"operation": "status"}, seconds=30).result


def _confirmed(fleet: Fleet, host: ManagedHost, window: Window) -> HostOutcome:
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        if failing := failing_checks(login, host):
            raise AgentError(host.name, "; ".join(failing))
        ask(login, {"operation": "confirm", "run": window.run}, seconds=60)
        told = ask(login, {"operation": "status"}, seconds=30).result
    state = state_of(host.name, told, window.run)
    if state != "confirmed":
        message = _("said confirmed, but the run is {state}")
        raise AgentError(host.name, message.format(state=quoted(in_words(state))))
    return outcome_of_confirmed(host.name, told, window.run, window.changed)


def _ended(host: str, window: Window, facts: Mapping[str, Any], why: str) -> HostOutcome:
    state = state_of(host, facts, window.run)
    if state == "confirmed":
        return outcome_of_confirmed(host, facts, window.run, window.changed, why)
    if state == "rolled_back":
        reason = _("took itself back: {why}").format(why=why)
        return HostOutcome(host, Outcome.ROLLED_BACK, reason, window.changed)
    if state == "broken":
        return HostOutcome(host, Outcome.FAILED, way_back_failed(host, why), window.changed)
    reason = _("the run is {state}: {why}").format(state=in_words(state), why=why)
    return HostOutcome(host, Outcome.FAILED, reason, window.changed)

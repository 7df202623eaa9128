"""Confirm: prove over a fresh login that a changed host is still manageable, or see it go back."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.change.health import failing_checks
from orchestrator.change.outcomes import way_back_failed
from orchestrator.change.rollback import take_back
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.told import known_runs, text, texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, HostError, HostRefusedError, UnreachableError
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
# A finish waits for apt, which may go on for five minutes (seconds).
_FINISH_SECONDS = 360.0


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
            last = problem.message
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
        return HostOutcome(ended.host, Outcome.ROLLED_BACK, ended.reason)
    return HostOutcome(ended.host, ended.outcome, f"{ended.reason}; {taken.reason}")


def close_confirmed(login: Login, run: str) -> str:
    """Close a confirmed run for whose removals its host is still held; return why that failed.

    Packages that are still there are the next plan's.
    """
    try:
        ask(login, {"operation": "finish", "run": run}, seconds=_FINISH_SECONDS)
    except HostError as problem:
        return _("confirmed, but not closed: {why}").format(why=problem.message)
    return ""


def await_rollback(fleet: Fleet, host: ManagedHost, window: Window, why: str) -> HostOutcome:
    """Wait until an unconfirmed host has taken itself back, and say what it says of the run."""
    deadline = time.monotonic() + window.seconds + _ROLLBACK_GRACE
    last = why
    while time.monotonic() < deadline and not window.stop.is_set():
        try:
            state = run_state(fleet, host, window.run)
        except (UnreachableError, AgentError, HostRefusedError) as problem:
            last = problem.message
        else:
            if state not in ("begun", "armed", "converged", "rolling_back"):
                return _ended(host.name, window, state, why)
        window.stop.wait(_LONGEST_PAUSE / 2)
    message = _("not confirmed ({why}) and not seen again: {last}").format(why=why, last=last)
    return HostOutcome(host.name, Outcome.UNREACHABLE, message, window.changed)


def run_state(fleet: Fleet, host: ManagedHost, run: str) -> str:
    """Return how a run stands on its host, ``unknown`` where the host knows none of that name."""
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        answer = ask(login, {"operation": "status"}, seconds=30)
    return state_of(host.name, answer.result, run)


def state_of(host: str, facts: Mapping[str, Any], run: str) -> str:
    """Return the state of a run in what a host says of its runs, ``unknown`` where it is not there.

    Raises AgentError for facts that tell no runs.
    """
    known = known_runs(host, facts)
    with well_formed(host):
        return next((text(item["state"]) for item in known if item["run"] == run), "unknown")


def _confirmed(fleet: Fleet, host: ManagedHost, window: Window) -> HostOutcome:
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        if failing := failing_checks(login, host):
            raise AgentError(host.name, "; ".join(failing))
        result = ask(login, {"operation": "confirm", "run": window.run}, seconds=60).result
        told = ask(login, {"operation": "status"}, seconds=30).result
    with well_formed(host.name):
        problems = [in_words(problem) for problem in texts(result.get("problems", []))]
    state = state_of(host.name, told, window.run)
    if state != "confirmed":
        message = _("said confirmed, but the run is {state}")
        raise AgentError(host.name, message.format(state=quoted(in_words(state))))
    if problems:
        reason = _("confirmed, but not kept over a reboot: {p}").format(p="; ".join(problems))
        return HostOutcome(host.name, Outcome.FAILED, reason, window.changed)
    return HostOutcome(host.name, Outcome.CONFIRMED, "", window.changed)


def _ended(host: str, window: Window, state: str, why: str) -> HostOutcome:
    if state == "confirmed":
        return HostOutcome(host, Outcome.CONFIRMED, "", window.changed)
    if state == "rolled_back":
        reason = _("took itself back: {why}").format(why=why)
        return HostOutcome(host, Outcome.ROLLED_BACK, reason, window.changed)
    if state == "broken":
        return HostOutcome(host, Outcome.FAILED, way_back_failed(host, why), window.changed)
    reason = _("the run is {state}: {why}").format(state=in_words(state), why=why)
    return HostOutcome(host, Outcome.FAILED, reason, window.changed)

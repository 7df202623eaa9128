"""Reboot hosts wave by wave: within their hours, waited for, and healthy before and afterwards."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.change.course import too_many_failed, wave_words
from orchestrator.change.health import failing_checks
from orchestrator.change.outcomes import outcome_of_error
from orchestrator.change.recorded import Report, recorded
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.connection import Login
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, HostError, HostRefusedError, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.patches import document, of_document
from orchestrator.model.record import NewRun, Run, RunKind
from orchestrator.model.told import Topic
from orchestrator.model.waves import Waves
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_VARIABLE = "luytre_reboot_window"
_STEP = "reboot"
_ASK_SECONDS = 60.0
# Others that work with packages are waited for a minute of it.
_ORDER_SECONDS = 120.0
_LOGIN_SECONDS = 5.0
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Wish:
    """Which hosts to reboot, in which waves, and for how many ``seconds`` each is waited for.

    ``any_time``: also outside of the hours that they declare.
    """

    hosts: Sequence[ManagedHost]
    waves: Waves
    seconds: int
    any_time: bool = False


class Needs(NamedTuple):
    """Why a host that was rebooted needs another reboot, and which services use replaced files."""

    reboot: str
    services: tuple[str, ...]


def outside_of_hours(hosts: Sequence[ManagedHost], now: datetime) -> dict[str, str]:
    """Return, by host, the hours in which it may be down, where ``now`` is not among them.

    A host without declared hours may be down at any time. ``now`` is local, as the hours are.
    """
    declared = {host.name: str(host.variables.get(_VARIABLE) or "") for host in hosts}
    return {name: hours for name, hours in declared.items() if hours and not _within(hours, now)}


def reboot_recorded(
    workspace: Workspace,
    fleet: Fleet,
    store: "Store",
    wish: Wish,
    on_step: Report = lambda _host, _step: None,
) -> tuple[Run, list[HostOutcome]]:
    """Reboot hosts in waves and return the run with how each ended.

    Once more have failed than was agreed to, no other wave begins. What the store knows of a host's
    updates is brought up to what it needs as soon as it is back.
    """
    names = ",".join(host.name for host in wish.hosts)
    new = NewRun(RunKind.REBOOT, workspace.settings.operator.name, limit=names)
    ended: dict[str, HostOutcome] = {}
    with recorded(workspace, store, new) as (run, save):

        def work(host: ManagedHost) -> HostOutcome:
            # A later wave may come when the hours are over.
            if not wish.any_time and (late := outside_of_hours([host], _now())):
                return HostOutcome(host.name, Outcome.NOT_STARTED, hours_text(late[host.name]))
            store.save_steps(run.id, [host.name], _STEP)
            on_step(host.name, _STEP)
            return reboot(
                fleet, host, wish.seconds, lambda needs: _keep_needs(store, host.name, needs)
            )

        def keep(host: ManagedHost, told: HostOutcome | HostError) -> None:
            ended[host.name] = outcome_of_error(told) if isinstance(told, HostError) else told
            save([ended[host.name]])

        split = wish.waves.split(wish.hosts)
        for number, wave in enumerate(split, 1):
            if len(split) > 1:
                on_step(*wave_words(number, len(split), len(wave)))
            over_hosts(wave, work, fleet.concurrency, keep)
            if too_many_failed(ended.values(), wish.waves):
                why = _("too many failed before")
                left = [host for later in split[number:] for host in later]
                stopped = [HostOutcome(host.name, Outcome.NOT_STARTED, why) for host in left]
                ended |= {one.host: one for one in stopped}
                save(stopped)
                break
    return run, [ended[host.name] for host in wish.hosts]


def reboot(
    fleet: Fleet, host: ManagedHost, seconds: int, hear: Callable[[Needs], None]
) -> HostOutcome:
    """Reboot one host, wait until it is back and healthy, and say how that ended.

    ``hear`` is told what it needs then, healthy or not. Raises HostError where it could not even be
    asked.
    """
    with fleet.login(host) as login:
        if failing := failing_checks(login, host):
            return HostOutcome(host.name, Outcome.REFUSED, "; ".join(failing))
        before = _boot(login)
        request = {"operation": "reboot", "controller": _machine()}
        # Where the answer is lost, it may be on its way down all the same.
        with suppress(UnreachableError):
            ask(login, request, seconds=_ORDER_SECONDS)
    began = time.monotonic()
    why = _("it was not seen again")
    needs: Needs | None = None
    while time.monotonic() - began < seconds:
        time.sleep(_PAUSE_SECONDS)
        try:
            if needs is None:
                needs = _needs_since(fleet, host, before)
                if needs is None:
                    why = _("it did not go down")
                    continue
                hear(needs)
            _require_healthy(fleet, host)
            return _ended(host, needs, time.monotonic() - began)
        except UnreachableError:
            continue
        except (AgentError, HostRefusedError) as problem:
            why = problem.message
    message = _("not back as it was after {n} s: {why}").format(n=seconds, why=why)
    return HostOutcome(host.name, Outcome.FAILED, message)


def _needs_since(fleet: Fleet, host: ManagedHost, before: str) -> Needs | None:
    """Return what a host needs in another boot than the one ``before``; None in the same."""
    request = {"operation": "patches", "sources": [], "days": 1}
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        if _boot(login) == before:
            return None
        told = ask(login, request, seconds=_ASK_SECONDS).result
    with well_formed(host.name):
        return Needs(text(told["patches"]["reboot"]), texts(told["patches"]["services"]))


def _boot(login: Login) -> str:
    """Return the id of the boot in which a host is; raises HostError."""
    told = ask(login, {"operation": "status"}, seconds=30).result
    with well_formed(login.endpoint.name):
        return text(told["host"]["boot"])


def _require_healthy(fleet: Fleet, host: ManagedHost) -> None:
    """Raise AgentError where a health check of a host fails."""
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        if failing := failing_checks(login, host):
            raise AgentError(host.name, "; ".join(failing))


def _ended(host: ManagedHost, needs: Needs, seconds: float) -> HostOutcome:
    """Return how the reboot of a healthy host ended."""
    if needs.reboot:
        message = _("it was rebooted, and still: {why}").format(why=in_words(needs.reboot))
        return HostOutcome(host.name, Outcome.FAILED, message)
    message = _("back after {n} s").format(n=round(seconds))
    return HostOutcome(host.name, Outcome.CONFIRMED, message)


def _keep_needs(store: "Store", host: str, needs: Needs) -> None:
    """Keep what a host needs beside what is known of its updates."""
    for known in store.answers(Topic.PATCHES, [host]):
        now = replace(of_document(host, known.answer), **needs._asdict())
        store.save_answer(host, Topic.PATCHES, {**known.answer, **document(now)})


def hours_text(hours: str) -> str:
    """Return why a host is left alone outside of its hours."""
    message = _("it may be down from {hours} only; --now reboots it all the same")
    return message.format(hours=hours)


def _now() -> datetime:
    return datetime.now().astimezone()


def _machine() -> str:
    """Return the id of the machine that this runs on (machine-id(5)); empty where it has none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _within(hours: str, now: datetime) -> bool:
    first, last = hours.split("-")
    clock = f"{now:%H:%M}"
    if first <= last:
        return first <= clock < last
    return clock >= first or clock < last

"""Reboot hosts wave by wave: within their hours, waited for, and healthy before and afterwards."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.change.course import too_many_failed, wave_words
from orchestrator.change.health import failing_checks
from orchestrator.change.outcomes import outcome_of_error
from orchestrator.change.recorded import Report, recorded
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import AgentError, HostError, HostRefusedError, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.record import NewRun, Run, RunKind
from orchestrator.model.waves import Waves
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_VARIABLE = "luytre_reboot_window"
_STEP = "reboot"
_ASK_SECONDS = 60.0
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

    Once more have failed than was agreed to, no other wave begins.
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
            return reboot(fleet, host, wish.seconds)

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


def reboot(fleet: Fleet, host: ManagedHost, seconds: int) -> HostOutcome:
    """Reboot one host, wait until it is back and healthy, and say how that ended.

    Raises HostError where it could not even be asked.
    """
    began = time.monotonic()
    with fleet.login(host) as login:
        if failing := failing_checks(login, host):
            return HostOutcome(host.name, Outcome.REFUSED, "; ".join(failing))
        request = {"operation": "reboot", "controller": _machine()}
        told = ask(login, request, seconds=_ASK_SECONDS).result
    with well_formed(host.name):
        before = text(told["boot"])
    why = _("it was not seen again")
    while time.monotonic() - began < seconds:
        time.sleep(_PAUSE_SECONDS)
        try:
            if _back(fleet, host, before):
                if left := _still_needs(fleet, host):
                    message = _("it was rebooted, and still: {why}").format(why=in_words(left))
                    return HostOutcome(host.name, Outcome.FAILED, message)
                message = _("back after {n} s").format(n=round(time.monotonic() - began))
                return HostOutcome(host.name, Outcome.CONFIRMED, message)
            why = _("it did not go down")
        except UnreachableError:
            continue
        except (AgentError, HostRefusedError) as problem:
            why = problem.message
    message = _("not back as it was after {n} s: {why}").format(n=seconds, why=why)
    return HostOutcome(host.name, Outcome.FAILED, message)


def _back(fleet: Fleet, host: ManagedHost, before: str) -> bool:
    """Return whether another boot is up; raises AgentError where it is not healthy yet."""
    with fleet.login(host, connect_timeout=_LOGIN_SECONDS) as login:
        told = ask(login, {"operation": "status"}, seconds=30).result
        with well_formed(host.name):
            boot = text(told["host"]["boot"])
        if boot == before:
            return False
        if failing := failing_checks(login, host):
            raise AgentError(host.name, "; ".join(failing))
    return True


def hours_text(hours: str) -> str:
    """Return why a host is left alone outside of its hours."""
    message = _("it may be down from {hours} only; --now reboots it all the same")
    return message.format(hours=hours)


def _still_needs(fleet: Fleet, host: ManagedHost) -> str:
    """Return why a host needs a reboot although it was rebooted; empty where it does not."""
    request = {"operation": "patches", "sources": [], "days": 1}
    with fleet.login(host) as login:
        told = ask(login, request, seconds=_ASK_SECONDS).result
    with well_formed(host.name):
        return text(told["patches"]["reboot"])


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

"""Take runs back on their hosts: over SSH alone, no Ansible needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.change.outcomes import joined, outcome_of_error, way_back_failed
from orchestrator.fleet.agent import Fleet, ask
from orchestrator.fleet.pool import over_hosts
from orchestrator.fleet.told import records, text, texts, well_formed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.errors import HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _

ROLLBACK_SECONDS = 660.0
_SURVEY_SECONDS = 180.0


@dataclass(frozen=True)
class Parts:
    """What goes back on a host: resources (``path:/etc/issue.net``), packages.

    ``away`` are packages that go, ``back`` those that return, each ``NAME VERSION``.
    """

    resources: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    back: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.resources or self.away or self.back)


@dataclass(frozen=True)
class StandingRun:
    """A run that stands on a host, and what its rollback would put back now.

    ``under_way`` is why it should be left to whoever works on it; empty where nobody does.
    ``over``: it was taken back before, and nothing of it is left.
    """

    run: str
    operator: str
    state: str
    parts: Parts
    under_way: str = ""
    over: bool = False


@dataclass(frozen=True)
class Survey:
    """The runs that are to be taken back on a host, the newest first."""

    host: ManagedHost
    runs: tuple[StandingRun, ...]


@dataclass(frozen=True)
class TakenBack:
    """How the rollback of a host ended; ``done`` is what went back, by run, the newest first.

    A run whose host did not tell what went back is mapped to None.
    """

    outcome: HostOutcome
    done: Mapping[str, Parts | None]


@dataclass(frozen=True)
class Mandate:
    """What a rollback takes back (one run, or every one that stands), and what it may touch.

    ``force``: also what was changed since, and what others work on. ``abandoned`` tells of a run
    whether the process that started it is known to be gone.
    """

    run: str | None = None
    force: bool = False
    abandoned: Callable[[str], bool] = lambda _run: False


def survey_fleet(
    fleet: Fleet, hosts: Sequence[ManagedHost], mandate: Mandate
) -> list[Survey | HostError]:
    """Return what a rollback would put back on each host. Changes nothing.

    Raises ConfigurationError, before anybody is contacted, where the key of a host is missing.
    """
    fleet.require_keys(hosts)
    request = {"operation": "survey", "run": mandate.run}

    def work(host: ManagedHost) -> Survey:
        with fleet.login(host) as login:
            told = ask(login, request, seconds=_SURVEY_SECONDS).result
        return Survey(host, standing_runs(host.name, told, mandate))

    return over_hosts(hosts, work, fleet.concurrency)


def roll_back(
    fleet: Fleet,
    surveys: Sequence[Survey],
    mandate: Mandate,
    on_done: Callable[[TakenBack], None] = lambda _taken: None,
) -> list[TakenBack]:
    """Take the runs of the surveys back, in the order given; ``on_done`` hears of each host."""
    by_name = {survey.host.name: survey for survey in surveys}

    def work(host: ManagedHost) -> TakenBack:
        return _take_all_back(fleet, by_name[host.name], mandate)

    def tell(_host: ManagedHost, taken: TakenBack | HostError) -> None:
        if not isinstance(taken, HostError):
            on_done(taken)

    hosts = [survey.host for survey in surveys]
    return [_told(one) for one in over_hosts(hosts, work, fleet.concurrency, tell)]


def take_back(
    fleet: Fleet, host: ManagedHost, run: str, *, force: bool, abandoned: bool = False
) -> HostOutcome:
    """Take one run back on one host and say how it ended. Never raises HostError.

    The host refuses a run that somebody works on, unless it is forced or ``abandoned``: the process
    that started it is known to be gone.
    """
    return _take_back(fleet, host, run, Mandate(run, force, lambda _run: abandoned))[0]


def _take_all_back(fleet: Fleet, survey: Survey, mandate: Mandate) -> TakenBack:
    done: dict[str, Parts | None] = {}
    told_by_host: list[str] = []
    name = survey.host.name
    for standing in survey.runs:
        outcome, parts = _take_back(fleet, survey.host, standing.run, mandate)
        if outcome.outcome is not Outcome.ROLLED_BACK:
            told = _("runs taken back: {n}; then run {run}: {reason}")
            words = told.format(n=len(done), run=standing.run, reason=outcome.reason)
            done |= {standing.run: parts} if parts else {}
            reason = words if len(survey.runs) > 1 else outcome.reason
            return TakenBack(HostOutcome(name, outcome.outcome, reason, _names(done)), done)
        done[standing.run] = parts
        # What could not go back is told there: a libc, say.
        told_by_host.append(outcome.reason)
    reason = joined(*dict.fromkeys(told_by_host))
    return TakenBack(HostOutcome(name, Outcome.ROLLED_BACK, reason, _names(done)), done)


def _take_back(
    fleet: Fleet, host: ManagedHost, run: str, mandate: Mandate
) -> tuple[HostOutcome, Parts | None]:
    request = {"operation": "rollback", "run": run, "force": mandate.force}
    try:
        with fleet.login(host) as login:
            told = ask(
                login, request | {"abandoned": mandate.abandoned(run)}, seconds=ROLLBACK_SECONDS
            ).result
        with well_formed(host.name):
            parts = _parts(told["done"]) if "done" in told else None
            state, reason = text(told["state"]), in_words(text(told.get("reason") or ""))
    except HostError as problem:
        return outcome_of_error(problem), None
    return _outcome(host.name, state, reason), parts


def standing_runs(host: str, told: Mapping[str, Any], mandate: Mandate) -> tuple[StandingRun, ...]:
    """Return the runs in a host's answer to a survey; raises AgentError for a malformed one."""
    with well_formed(host):
        runs = [
            StandingRun(
                run=text(item["run"]),
                operator=text(item["operator"]),
                state=text(item["state"]),
                parts=_parts(item),
                under_way=in_words(text(item["under_way"])),
                over=item["over"] is True,
            )
            for item in records(told["runs"])
        ]
    return tuple(
        replace(one, under_way="") if mandate.force or mandate.abandoned(one.run) else one
        for one in runs
    )


def _parts(told: Mapping[str, Any]) -> Parts:
    """Return what goes back; raises AttributeError, TypeError, ValueError where malformed."""
    return Parts(*(texts(told.get(name, [])) for name in ("resources", "away", "back")))


def _names(done: Mapping[str, Parts | None]) -> tuple[str, ...]:
    """Return what went back, each once: resources, and packages as ``package:NAME``."""
    names: dict[str, None] = {}
    for parts in filter(None, done.values()):
        packages = (word.split(" ")[0] for word in (*parts.away, *parts.back))
        names |= dict.fromkeys((*parts.resources, *(f"package:{name}" for name in packages)))
    return tuple(names)


def _told(taken: TakenBack | HostError) -> TakenBack:
    if isinstance(taken, HostError):
        raise taken
    return taken


def _outcome(host: str, state: str, reason: str) -> HostOutcome:
    if state == "rolled_back":
        return HostOutcome(host, Outcome.ROLLED_BACK, reason)
    if state == "refused":
        return HostOutcome(host, Outcome.REFUSED, reason)
    return HostOutcome(host, Outcome.FAILED, way_back_failed(host, reason))

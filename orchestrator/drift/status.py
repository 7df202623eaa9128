"""What matters now, from what the store holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from orchestrator.drift.matters import Fleet, matters
from orchestrator.drift.underway import is_under_way
from orchestrator.fleet.pins import load_pins
from orchestrator.model.record import Counts, RunStatus, Tally
from orchestrator.model.status import Question, Status
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_ALL_RUNS = 1000
Key = TypeVar("Key")


def look(workspace: Workspace, store: "Store", question: Question) -> Status:
    """Return what matters; nobody is contacted.

    Hosts that were in no audit since the newest one of all hosts have left the inventory, and
    nothing is said of them. Raises ControllerError where the store fails, ConfigurationError where
    the pins are not sound.
    """
    last_audit = store.whole_audit()
    every = {one.host: one for one in store.last_attempts()}
    since = last_audit.id if last_audit else ""
    attempts = {name: one for name, one in every.items() if one.run >= since}
    tallies = tuple(one for one in store.tallies() if one.host in attempts)
    running = store.runs(_ALL_RUNS, RunStatus.RUNNING)
    under_way = tuple(run for run in running if is_under_way(workspace, run.id))
    fleet = Fleet(
        attempts=attempts,
        hosts={one.name: one for one in store.hosts() if one.name in attempts},
        tallies=tallies,
        changes=tuple(
            one for one in store.last_changes() if one.run > since or one.host in attempts
        ),
        under_way=frozenset(run.id for run in under_way),
        pinned=frozenset(load_pins(workspace.pins_file)),
        ever_tried=frozenset(every),
    )
    return Status(
        now=question.now,
        hosts=len(attempts),
        counts=Counts(_sum(tallies, lambda one: one.verdict)),
        open=_sum((one for one in tallies if one.open), lambda one: one.severity),
        last_audit=last_audit,
        under_way=under_way,
        matters=tuple(matters(fleet, question)),
    )


def _sum(tallies: Iterable[Tally], key: Callable[[Tally], Key]) -> Mapping[Key, int]:
    summed: Counter[Key] = Counter()
    for one in tallies:
        summed[key(one)] += one.number
    return dict(summed)

"""What matters now, from what the store holds."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from orchestrator.baseline.waiver_file import load_waivers
from orchestrator.drift.matters import Fleet, matters
from orchestrator.drift.underway import is_under_way
from orchestrator.fleet.pins import load_pins
from orchestrator.model.alert import OF_INTRUSION, AlertKind
from orchestrator.model.antivirus import from_document
from orchestrator.model.backup import WHOLE
from orchestrator.model.finding import Reach, Verdict
from orchestrator.model.patches import as_known
from orchestrator.model.protection import protections
from orchestrator.model.record import Counts, HostRun, RunStatus, StoredHost, Tally
from orchestrator.model.status import Lapsed, Question, Status
from orchestrator.model.told import Topic
from orchestrator.model.vault_alert import VaultAlert, alert_of
from orchestrator.model.waiver import WaiverState
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

_ALL_RUNS = 1000
Key = TypeVar("Key")


def look(workspace: Workspace, store: "Store", question: Question) -> Status:
    """Return what matters; nobody is contacted.

    Unless the question names the hosts, those that were in no audit since the newest one of all
    hosts have left the inventory, and nothing is said of them. Raises ControllerError where the
    store fails, ConfigurationError where the pins or the waivers are not sound.
    """
    last_audit = store.whole_audit()
    every = {one.host: one for one in store.last_attempts()}
    since = last_audit.id if last_audit else ""

    def counts(one: HostRun) -> bool:
        return one.run >= since if question.hosts is None else one.host in question.hosts

    attempts = {name: one for name, one in every.items() if counts(one)}
    hosts = {one.name: one for one in store.hosts() if one.name in attempts}
    pinned = frozenset(load_pins(workspace.pins_file))
    tallies = tuple(one for one in store.tallies() if one.host in attempts)
    running = store.runs(_ALL_RUNS, RunStatus.RUNNING)
    under_way = tuple(run for run in running if is_under_way(workspace, run.id))
    waived = [(one.name, one.backup_waived) for one in hosts.values()]
    found = protections(
        waived, store.backups([*hosts], states=WHOLE), store.drills([*hosts], proving=True)
    )
    named = None if question.hosts is None else [*question.hosts]
    fleet = Fleet(
        attempts=attempts,
        hosts=hosts,
        tallies=tallies,
        changes=tuple(one for one in store.last_changes() if counts(one) or one.host in attempts),
        under_way=frozenset(run.id for run in under_way),
        pinned=pinned if question.hosts is None else pinned & frozenset(question.hosts),
        ever_tried=frozenset(every),
        protections=tuple(found),
        gate=workspace.settings.backup_gate,
        patches=tuple(
            as_known(one, question.now) for one in store.answers(Topic.PATCHES, [*hosts])
        ),
        alarms=_alarms(store, frozenset(every), frozenset(attempts)),
        alerts=store.alerts(named, OF_INTRUSION, only_open=True),
        watches=store.answers(Topic.INTRUSION, named and [*hosts]),
        antivirus=tuple(from_document(t.answer) for t in store.answers(Topic.ANTIVIRUS, [*hosts])),
        detections=store.alerts([*hosts], {AlertKind.MALWARE}, only_open=True),
    )
    judged = assessed(attempts.values(), hosts.values())
    lapsed = tuple(_lapsed(workspace, store, question.now, attempts))
    return Status(
        now=question.now,
        hosts=len(attempts),
        counts=Counts(_sum((t for t in tallies if t.host in judged), lambda one: one.verdict)),
        open=_sum((one for one in tallies if one.open), lambda one: one.severity),
        last_audit=last_audit,
        under_way=under_way,
        matters=tuple(matters(fleet, replace(question, lapsed=lapsed))),
        waived={
            one.host: one.waived
            for one in found
            if one.waived and one.lacks(fleet.gate, question.now)
        },
    )


def _alarms(
    store: "Store", ever_tried: frozenset[str], counting: frozenset[str]
) -> tuple[VaultAlert, ...]:
    """Return what vaults and hosts of second copies raised the alarm for when they were asked last.

    A vault that was audited once, and does not count any more, has left the inventory.
    """
    told = (*store.answers(Topic.VAULT), *store.answers(Topic.COPY))
    heard = [one for one in told if one.host in counting or one.host not in ever_tried]
    return tuple(alert_of(alert) for one in heard for alert in one.answer["alerts"])


def assessed(attempts: Iterable[HostRun], hosts: Iterable[StoredHost]) -> frozenset[str]:
    """Return the hosts that a percentage speaks of, in the status as in a report.

    They were audited whole once, and answered when they were audited last: nothing is claimed of
    the others. What failed there stays open.
    """
    whole = {one.name for one in hosts if one.reference}
    return frozenset(
        one.host for one in attempts if one.reach is Reach.ANSWERED and one.host in whole
    )


def _lapsed(
    workspace: Workspace, store: "Store", now: datetime, hosts: Collection[str]
) -> Iterator[Lapsed]:
    """Yield the expired waivers whose failures are still there and covered by no other."""
    today = now.astimezone().date()
    every = load_waivers(workspace.waivers_file, today).every
    expired = [one for one in every if one.state(today) is WaiverState.EXPIRED]
    if not expired:
        return
    covered = {(host, one.control) for one in every if one.counts(today) for host in one.hosts}
    found = store.findings(
        sorted({host for one in expired for host in one.hosts} & set(hosts)),
        sorted({one.control for one in expired}),
    )
    failing = {
        (one.host, one.control) for one in found if one.verdict is Verdict.FAIL and not one.retired
    } - covered
    for waiver in expired:
        again = tuple(host for host in waiver.hosts if (host, waiver.control) in failing)
        if again:
            yield Lapsed(waiver.id, again)


def _sum(tallies: Iterable[Tally], key: Callable[[Tally], Key]) -> Mapping[Key, int]:
    summed: Counter[Key] = Counter()
    for one in tallies:
        summed[key(one)] += one.number
    return dict(summed)

"""The course of an apply: wave by wave, each seen to its end by an audit, until too many fail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.change.apply import apply_to
from orchestrator.change.interrupted import InterruptedRun
from orchestrator.change.order import Order
from orchestrator.change.outcomes import joined, settled, with_unplanned
from orchestrator.change.recorded import Report, Save
from orchestrator.change.rollback import take_back
from orchestrator.drift.scope import Scope
from orchestrator.drift.watch import by_host, watch
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.change import FAILURES, HostOutcome, HostPlan, Outcome
from orchestrator.model.errors import ControllerError, HostError, Interrupted
from orchestrator.model.finding import HostAudit
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _, _n
from orchestrator.model.waves import ALL_AT_ONCE, OnFailure, Waves
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


@dataclass(frozen=True)
class Agreed:
    """What an apply carries out: plans by host, in which waves, and what is recorded beside them.

    ``left_out`` are the outcomes of hosts that gave no plan, or whose plan was refused; ``note`` is
    kept with the run. ``saved_plan`` is the id of the saved plan that they come from.
    """

    plans: Mapping[str, HostPlan]
    left_out: Sequence[HostOutcome] = ()
    note: str = ""
    waves: Waves = ALL_AT_ONCE
    saved_plan: str = ""


@dataclass(frozen=True)
class Listeners:
    """Who hears of a course: ``save`` of outcomes, ``step`` of each host, ``wave`` of each wave."""

    save: Save
    step: Report
    wave: Callable[[str, str], None]


class Course:
    """The waves of one apply; ``outcomes`` tells by host how each has ended so far."""

    def __init__(
        self, workspace: Workspace, scope: Scope, store: "Store", agreed: Agreed, order: Order
    ) -> None:
        self._workspace = workspace
        self._scope = scope
        self._store = store
        self._agreed = agreed
        self._order = order
        self.outcomes: dict[str, HostOutcome] = {}

    def follow(self, heard: Listeners) -> None:
        """Change the hosts in their waves; raises InterruptedRun with how they were left."""
        plans = self._agreed.plans
        planned = [host for host in self._scope.hosts if host.name in plans]
        changing = [host for host in planned if plans[host.name].changes]
        same = [HostOutcome(h.name, Outcome.UNCHANGED) for h in planned if h not in changing]
        heard.save(self._keep(with_unplanned(one, plans[one.host]) for one in same))
        waves = self._agreed.waves.split(changing)
        alone = {h.name: _not_started(h.name, _("interrupted")) for h in changing}
        try:
            for number, wave in enumerate(waves, 1):
                if len(waves) > 1:
                    heard.wave(*wave_words(number, len(waves), len(wave)))
                self._change(wave, heard)
                if too_many_failed(self.outcomes.values(), self._agreed.waves):
                    self._stop([host for later in waves[number:] for host in later], heard)
                    break
        except InterruptedRun as interrupted:
            raise interrupted.beside(alone | self.outcomes) from interrupted
        except (Interrupted, KeyboardInterrupt) as problem:
            raise InterruptedRun(self._order.run, alone | self.outcomes) from problem
        except ControllerError as problem:
            told = alone | self.outcomes
            raise InterruptedRun(self._order.run, told, cause=problem) from problem

    def _change(self, wave: Sequence[ManagedHost], heard: Listeners) -> None:
        """Change the hosts of one wave and see by an audit what came of it."""
        plans = self._agreed.plans
        ended = apply_to(self._scope.fleet, wave, self._order, heard.step)
        heard.save(self._keep(with_unplanned(one, plans[one.host]) for one in ended))
        audits = self._audit_again(wave)
        kept = [settled(self.outcomes[h.name], plans[h.name], audits.get(h.name)) for h in wave]
        heard.save(self._keep(kept))

    def _keep(self, ended: Iterable[HostOutcome]) -> list[HostOutcome]:
        kept = list(ended)
        self.outcomes |= {outcome.host: outcome for outcome in kept}
        return kept

    def _audit_again(self, hosts: Sequence[ManagedHost]) -> Mapping[str, HostAudit]:
        return by_host(watch(self._workspace, self._scope.only(hosts), self._store).audits)

    def _stop(self, left: Sequence[ManagedHost], heard: Listeners) -> None:
        """Let no other wave begin; take back what was confirmed where that was agreed to."""
        failed = sorted(o.host for o in self.outcomes.values() if o.outcome in FAILURES)
        why = _("too many failed before: {hosts}").format(hosts=", ".join(failed))
        heard.save(self._keep(_not_started(host.name, why) for host in left))
        if self._agreed.waves.on_failure is OnFailure.ROLLBACK:
            self._take_back(why, heard)

    def _take_back(self, why: str, heard: Listeners) -> None:
        """Take the run back wherever it stands; a host that does not go back tells why.

        Until it is told how a host ended, it counts as interrupted: whoever ends this process must
        not leave a host as confirmed that is on its way back.
        """
        standing = (Outcome.CONFIRMED, Outcome.FAILED)
        before = {name: one for name, one in self.outcomes.items() if one.outcome in standing}
        hosts = [host for host in self._scope.hosts if host.name in before]
        told = _("being taken back; next: luytre rollback --run {run}").format(run=self._order.run)
        under_way = [HostOutcome(host.name, Outcome.INTERRUPTED, told) for host in hosts]
        heard.save(self._keep(under_way))

        def work(host: ManagedHost) -> HostOutcome:
            fleet, run = self._scope.fleet, self._order.run
            taken = take_back(fleet, host, run, force=False, abandoned=True)
            return _gone_back(before[host.name], taken, why)

        def keep(_host: ManagedHost, ended: HostOutcome | HostError) -> None:
            if isinstance(ended, HostError):
                raise ended
            heard.save(self._keep([ended]))

        over_hosts(hosts, work, self._scope.fleet.concurrency, keep)
        if hosts:
            self._audit_again(hosts)


def _gone_back(before: HostOutcome, taken: HostOutcome, why: str) -> HostOutcome:
    if taken.outcome is Outcome.ROLLED_BACK:
        told = _("taken back: {why}").format(why=why)
        return replace(taken, reason=joined(before.reason, told))
    told = _("not taken back: {why}").format(why=taken.reason)
    return replace(before, outcome=Outcome.FAILED, reason=joined(before.reason, told))


def too_many_failed(outcomes: Iterable[HostOutcome], waves: Waves) -> bool:
    """Return whether more hosts failed than was agreed to."""
    return sum(outcome.outcome in FAILURES for outcome in outcomes) > waves.max_fail


def wave_words(number: int, waves: int, hosts: int) -> tuple[str, str]:
    """Return the heading of a wave in two parts."""
    many = _n("{n} host", "{n} hosts", hosts).format(n=hosts)
    return _("wave {number} of {waves}").format(number=number, waves=waves), many


def _not_started(host: str, why: str) -> HostOutcome:
    return HostOutcome(host, Outcome.NOT_STARTED, why)

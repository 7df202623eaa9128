"""The store as the rest of the house sees it. Import it where it is used: SQLAlchemy is slow."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine

from orchestrator.model.alert import Alert, AlertKind, KeptAlert
from orchestrator.model.backup import Backup, BackupState
from orchestrator.model.change import HostOutcome
from orchestrator.model.drift import Drift
from orchestrator.model.drill import Drill
from orchestrator.model.finding import Reach
from orchestrator.model.record import (
    Advance,
    AuditedHost,
    CurrentFinding,
    DriftFilter,
    HostRun,
    Memory,
    NewRun,
    Prunable,
    Run,
    RunStatus,
    Sample,
    StoredHost,
    Summary,
    Tally,
)
from orchestrator.model.told import Told, Topic
from orchestrator.store import (
    alerts,
    answers,
    backups,
    drills,
    evidence,
    findings,
    hosts,
    prune,
    run_hosts,
    runs,
    samples,
    summaries,
    transitions,
)
from orchestrator.store.engine import copy, open_sqlite, our_errors, shrink
from orchestrator.store.log import AuditLog, append
from orchestrator.store.schema import SYNCED, SYNCED_LATER, WRITING
from orchestrator.store.verify import PRUNED, Check, verify

Names = Sequence[str] | None


def utc_now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


class Store:
    """What the controller remembers. Every write is one transaction, on disk when it returns.

    What ``save_audit`` wrote outlives a killed process at once, but a power loss only from the next
    other write on: an audit can be made again, and three hundred syncs are slow.

    Many processes may use one store at a time. Any method raises ControllerError where the
    database fails, and ConfigurationError where it is asked for a run or host it does not know.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITING: SYNCED})
        self._quick_writer = engine.execution_options(**{WRITING: SYNCED_LATER})
        self._clock = clock
        self.log = AuditLog(self._reading, self._writing, clock)

    @classmethod
    def open(cls, path: Path, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open the SQLite store at ``path`` (mode 0600), making or migrating it where needed.

        Raises ConfigurationError for a link, a foreign file or a newer version's store.
        """
        return cls(open_sqlite(path), clock)

    def close(self) -> None:
        """Close the connections; a closed store opens them again when it is used."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with our_errors(self._engine.url.database), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with our_errors(self._engine.url.database), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _writing_quickly(self) -> Iterator[Connection]:
        with our_errors(self._engine.url.database), self._quick_writer.begin() as connection:
            yield connection

    def start_run(self, new: NewRun) -> Run:
        """Write a run that starts now, and return it with its id.

        Raises RefusedError where a run used its saved plan before: of two at a time, one can.
        """
        with self._writing() as connection:
            return runs.start(connection, new, self._clock())

    def require_unused(self, plan: str) -> None:
        """Raise RefusedError where a run used this saved plan."""
        with self._reading() as connection:
            runs.require_unused(connection, plan)

    def finish_run(self, run: str, status: RunStatus) -> None:
        """Note how a run ended."""
        with self._writing() as connection:
            runs.finish(connection, run, status, self._clock())

    def run(self, run: str) -> Run:
        """Return one run."""
        with self._reading() as connection:
            return runs.get(connection, run)

    def runs(self, limit: int = 20, status: RunStatus | None = None) -> tuple[Run, ...]:
        """Return up to ``limit`` runs, newest first, of one status where one is given."""
        with self._reading() as connection:
            return runs.newest(connection, limit, status)

    def whole_audit(self) -> Run | None:
        """Return the newest audit of every host that came to its end; None before the first."""
        with self._reading() as connection:
            return runs.whole_audit(connection)

    def save_steps(self, run: str, names: Sequence[str], step: str) -> None:
        """Note the step that hosts are about to enter in a run; call it before the step."""
        with self._writing() as connection:
            for name in names:
                known = hosts.know(connection, name, self._clock())
                run_hosts.put(connection, run, known.id, {"step": step})

    def save_host_outcome(self, run: str, outcome: HostOutcome) -> None:
        """Note how a change of one host ended."""
        with self._writing() as connection:
            known = hosts.know(connection, outcome.host, self._clock())
            run_hosts.put(connection, run, known.id, run_hosts.outcome_values(outcome))

    def save_audit(
        self, run: Run, host: AuditedHost, advance: Callable[[Memory, datetime], Advance]
    ) -> tuple[Drift, ...]:
        """Write one host's audit; ``advance`` judges it against what was known, in between.

        Memory and judgement are in one transaction, so two audits at a time cannot both be first.
        ``advance`` gets the host's memory and the moment; what it returns is kept, and its drift
        is returned. It is not called for a host that did not answer, nor where the host's last
        audit had the same likeness: then every finding that it saw was seen again.
        """
        with self._writing_quickly() as connection:
            at = self._clock()
            known = hosts.know(connection, host.audit.host, at)
            kept = _keep(connection, host)
            run_hosts.put(connection, run.id, known.id, run_hosts.audit_values(host.audit, kept))
            hosts.date_facts(connection, known.id, _facts(host), at)
            if host.audit.reach is not Reach.ANSWERED:
                return ()
            hosts.saw(connection, known, run, host.likeness, at)
            if host.likeness and host.likeness == known.likeness:
                return ()
            findings.settle(connection, known)
            before = findings.of_host(connection, known.id)
            step = advance(Memory(before, known.reference is not None), at)
            findings.save(connection, known.id, before, step.findings)
            transitions.add(connection, known.id, step.drift)
        return step.drift

    def save_backup(self, made: Backup) -> None:
        """Keep what came of backing up one host."""
        with self._writing() as connection:
            known = hosts.know(connection, made.host, self._clock())
            backups.save(connection, known.id, made)

    def backup_runs(self, host: str) -> frozenset[str]:
        """Return the runs of a host's backups whose results are here."""
        with self._reading() as connection:
            return backups.known_runs(connection, host)

    def backups(
        self,
        names: Names = None,
        each: int = 1,
        *,
        states: Collection[BackupState] = frozenset(BackupState),
    ) -> tuple[Backup, ...]:
        """Return the latest backups that ended so, by host, newest first."""
        with self._reading() as connection:
            return backups.newest(connection, names, each, states=states)

    def save_drill(self, made: Drill) -> None:
        """Keep what came of a drill."""
        with self._writing() as connection:
            known = hosts.know(connection, made.host, self._clock())
            drills.save(connection, known.id, made)

    def drills(
        self, names: Names = None, each: int = 1, *, proving: bool = False
    ) -> tuple[Drill, ...]:
        """Return the latest drills by host, newest first; ``proving`` omits those undone."""
        with self._reading() as connection:
            return drills.newest(connection, names, each, proving=proving)

    def save_alerts(self, name: str, told: Sequence[Alert]) -> tuple[Alert, ...]:
        """Keep what one host alerts of; return the alerts that were not known."""
        with self._writing() as connection:
            now = self._clock()
            return alerts.save(connection, hosts.know(connection, name, now).id, told, now)

    def alerts(
        self,
        names: Names = None,
        kinds: Collection[AlertKind] = frozenset(AlertKind),
        *,
        only_open: bool = False,
        limit: int | None = None,
    ) -> tuple[KeptAlert, ...]:
        """Return alerts, those that happened last first."""
        with self._reading() as connection:
            return alerts.newest(connection, names, kinds, only_open=only_open, limit=limit)

    def mark_seen(self, numbers: Sequence[int], operator: str, remark: str) -> tuple[int, ...]:
        """Note that an operator looked at alerts; return the numbers of those that were open."""
        with self._writing() as connection:
            return alerts.mark_seen(connection, numbers, operator, remark, self._clock())

    def save_answer(self, name: str, topic: Topic, answer: Mapping[str, Any]) -> None:
        """Keep what one host says about a topic now, in place of what it said before."""
        with self._writing() as connection:
            now = self._clock()
            answers.save(connection, hosts.know(connection, name, now).id, topic, answer, now)

    def answers(self, topic: Topic, names: Names = None) -> tuple[Told, ...]:
        """Return what hosts said last about a topic, by name."""
        with self._reading() as connection:
            return answers.newest(connection, topic, names)

    def run_hosts(self, run: str) -> tuple[HostRun, ...]:
        """Return the hosts of a run by name: step, reach, outcome, counts."""
        with self._reading() as connection:
            return run_hosts.of_run(connection, run)

    def host_outcomes(self, run: str) -> tuple[HostOutcome, ...]:
        """Return how the changes of a run ended, by host; hosts still under way are not in it."""
        return tuple(
            HostOutcome(one.host, one.outcome, one.reason, one.changed, one.still_failing)
            for one in self.run_hosts(run)
            if one.outcome is not None
        )

    def findings(self, names: Names = None, controls: Names = None) -> tuple[CurrentFinding, ...]:
        """Return how all controls (or some) stand, by host and control; retired ones too."""
        with self._reading() as connection:
            return findings.select_findings(connection, names, controls)

    def transitions(self, wanted: DriftFilter = DriftFilter()) -> tuple[Drift, ...]:  # noqa: B008
        """Return what was different, newest first; all of it, unless a part is asked for."""
        with self._reading() as connection:
            return transitions.find(connection, wanted)

    def tallies(self) -> tuple[Tally, ...]:
        """Return how many controls stand how, by host, severity and verdict."""
        with self._reading() as connection:
            return findings.tallies(connection)

    def samples(self, edges: Sequence[datetime], names: Names = None) -> tuple[Sample, ...]:
        """Return how hosts stood at the end of each period between two neighbours of ``edges``.

        A host that no whole audit reached in a period is not in it.
        """
        with self._reading() as connection:
            return samples.take(connection, edges, names)

    def standing_drift(self, names: Names = None) -> tuple[Drift, ...]:
        """Return the newest transition of each (host, control) that still matters, newest first.

        It matters while it is of the host's latest audit, or the control is open or unread.
        """
        with self._reading() as connection:
            return transitions.standing(connection, names)

    def controls(self) -> tuple[str, ...]:
        """Return every control that was ever judged, by name."""
        with self._reading() as connection:
            return findings.controls(connection)

    def hosts(self) -> tuple[StoredHost, ...]:
        """Return every host that was ever seen, by name."""
        with self._reading() as connection:
            return hosts.every(connection)

    def summary(self, run: str, host: str) -> Summary | None:
        """Return how the controls of a host stood in an audit; None where it gave no findings."""
        with self._reading() as connection:
            return summaries.of_host(connection, run, host)

    def last_changes(self) -> tuple[HostRun, ...]:
        """Return each host's newest part in a run that changes hosts, by host."""
        with self._reading() as connection:
            return run_hosts.last_changes(connection)

    def last_attempts(self) -> tuple[HostRun, ...]:
        """Return each host's newest audit that came to an end for it, by host."""
        with self._reading() as connection:
            return run_hosts.last_attempts(connection)

    def copy_to(self, path: Path) -> None:
        """Write a copy of one moment to a new file (0600), whoever writes meanwhile."""
        with our_errors(path):
            copy(self._engine, path)

    def prunable(self, before: datetime) -> Prunable:
        """Return what may be forgotten of the time before a moment (see ``store.prune``)."""
        with self._reading() as connection:
            return prune.prunable(connection, before)

    def prune(self, operator: str, before: datetime) -> Prunable:
        """Forget it, note it in the audit log, and return what was forgotten.

        The file is as large as before until ``shrink``.
        """
        with our_errors(self._engine.url.database), prune.connected(self._engine) as connection:
            gone = prune.prunable(connection, before)
            prune.carry_out(connection, before)
            detail = {**asdict(gone), "before": before.astimezone(UTC).isoformat()}
            append(connection, self._clock(), operator, PRUNED, detail)
        return gone

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the disk.

        SQLite copies the whole store for that; raises ControllerError where there is no room.
        """
        with our_errors(self._engine.url.database):
            shrink(self._engine)

    def verify(self) -> Iterator[Check]:
        """Yield a check of each part of the store as it is made."""
        return verify(self._engine, self.log)

    def answer(self, run: str, host: str) -> bytes:
        """Return what a host answered in a run, as JSON, to the byte.

        Raises ControllerError where it was never kept, was pruned or altered.
        """
        with self._reading() as connection:
            return evidence.answer(connection, run, host)


def _keep(connection: Connection, host: AuditedHost) -> dict[str, Any]:
    kept = {"evidence_id": evidence.keep(connection, host.evidence), "aside": host.evidence.aside}
    if host.audit.reach is Reach.ANSWERED:
        kept["summary_id"] = summaries.keep(connection, host.manifest, host.audit.findings)
    return kept


def _facts(host: AuditedHost) -> dict[str, str]:
    facts = {"agency": host.agency, "level": "" if host.level is None else str(host.level)}
    facts["backup_waived"] = host.backup_waived
    if host.audit.reach is Reach.ANSWERED:
        facts["held"] = str(host.audit.facts.get("held", ""))
    machine = host.audit.facts.get("machine_id")
    return {**facts, "machine": str(machine)} if machine else facts

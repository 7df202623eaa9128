"""Gather from inventory, baseline and store what a report tells. Imports slow things: call late."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from orchestrator import __version__
from orchestrator.baseline.load import load_baseline
from orchestrator.baseline.waiver_file import load_waivers
from orchestrator.change.gate import protection_of
from orchestrator.drift.history import current_drift
from orchestrator.drift.status import assessed, look
from orchestrator.drift.trend import USUAL, periods, trend
from orchestrator.drift.underway import as_they_are
from orchestrator.fleet.inventory import start_resolving
from orchestrator.model.alert import OF_INTRUSION, AlertKind
from orchestrator.model.antivirus import from_document
from orchestrator.model.control import Baseline
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.finding import Verdict
from orchestrator.model.host import ManagedHost, Management
from orchestrator.model.i18n import _, language
from orchestrator.model.patches import as_known
from orchestrator.model.record import Counts, CurrentFinding, HostRun, Run, RunKind, StoredHost
from orchestrator.model.status import Question
from orchestrator.model.told import Topic
from orchestrator.model.watch import standing_of
from orchestrator.report.data import (
    AntivirusSection,
    ChapterCounts,
    HostSection,
    ReportData,
    RunSection,
)
from orchestrator.report.series import By
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace

_ALL = 1_000_000
_NOT_GOOD = (Verdict.FAIL, Verdict.ERROR, Verdict.NOT_CHECKED)


@dataclass(frozen=True)
class Wanted:
    """What a report is to tell.

    ``limit`` is Ansible's host pattern; trend and changes begin at ``since``; an audit older than
    ``stale_after`` is told to be too old.
    """

    organisation: str = ""
    parent: str = ""
    limit: str | None = None
    since: datetime | None = None
    stale_after: timedelta = Question.stale_after


def gather(workspace: Workspace, wanted: Wanted) -> ReportData:
    """Return what the store tells of the inventory's hosts.

    Raises ConfigurationError where no audit was made yet, ControllerError where the store fails.
    """
    resolving = start_resolving(workspace.settings.inventory, limit=wanted.limit)
    try:
        baseline = load_baseline(workspace.baseline_dirs)
        hosts = resolving.result().hosts
    finally:
        resolving.cancel()
    workspace.prepare_state()
    with Store.open(workspace.store_file) as store:
        return _Gathering(workspace, store, baseline, hosts, wanted).report()


@dataclass(frozen=True)
class _Gathering:
    """One report being gathered from an open store."""

    workspace: Workspace
    store: Store
    baseline: Baseline
    hosts: tuple[ManagedHost, ...]
    wanted: Wanted
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _host_runs: dict[str, dict[str, HostRun]] = field(default_factory=dict)

    def report(self) -> ReportData:
        """Return the report."""
        runs = as_they_are(self.workspace, self.store.runs(limit=_ALL))
        if not any(run.kind is RunKind.AUDIT for run in runs):
            message = _("no audit was made yet: there is nothing to report")
            raise ConfigurationError(message, hint=_("make one: luytre audit"))
        managed = [host for host in self.hosts if host.management is not Management.UNMANAGED]
        names = [host.name for host in managed]
        question = Question(self.now, self.wanted.stale_after, hosts=frozenset(names))
        since = self.wanted.since or self.now - USUAL
        findings = [one for one in self.store.findings(names) if not one.retired]
        return ReportData(
            organisation=self.wanted.organisation or self._only_agency(),
            parent_organisation=self.wanted.parent,
            created=self.now,
            operator=self.workspace.settings.operator.name,
            profile=self._profile(self.workspace.settings.profile),
            tool=__version__,
            hosts=self._sections(question, runs, findings),
            forgotten=() if self.wanted.limit else self._forgotten(),
            controls=self.baseline.controls,
            findings=tuple(one for one in findings if one.open or one.verdict in _NOT_GOOD),
            since=since,
            trend=trend(self.store, By.AGENCY, periods(since, self.now), {}, names),
            drift=current_drift(self.store, since, names),
            matters=look(self.workspace, self.store, question).matters,
            runs=self._changes(runs),
            protections=tuple(protection_of(self.store, managed)),
            gate=self.workspace.settings.backup_gate,
            patches=tuple(
                as_known(one, self.now) for one in self.store.answers(Topic.PATCHES, names)
            ),
            alerts=tuple(
                one
                for one in self.store.alerts(names, OF_INTRUSION)
                if one.open or one.alert.at >= since
            ),
            watches=tuple(
                standing_of(one.host, one.answer)
                for one in self.store.answers(Topic.INTRUSION, names)
            ),
            antivirus=self._antivirus(names),
            waivers=load_waivers(self.workspace.waivers_file).every,
        )

    def _antivirus(self, names: Sequence[str]) -> tuple[AntivirusSection, ...]:
        told = {one.host: one.answer for one in self.store.answers(Topic.ANTIVIRUS, names)}
        waiting = Counter(
            one.alert.host for one in self.store.alerts(names, {AlertKind.MALWARE}, only_open=True)
        )
        standings = {name: from_document(answer) for name, answer in told.items()}
        return tuple(AntivirusSection(n, standings.get(n), waiting[n]) for n in names)

    def _only_agency(self) -> str:
        agencies = {host.agency for host in self.hosts}
        return agencies.pop() if len(agencies) == 1 else ""

    def _profile(self, name: str) -> str:
        known = self.baseline.profiles.get(name)
        return f"{known.title.in_language(language())} ({name})" if known else name

    def _forgotten(self) -> tuple[str, ...]:
        declared = {host.name for host in self.hosts}
        return tuple(one.name for one in self.store.hosts() if one.name not in declared)

    def _sections(
        self, question: Question, runs: Iterable[Run], findings: Iterable[CurrentFinding]
    ) -> tuple[HostSection, ...]:
        by_id = {run.id: run for run in runs}
        stored = {one.name: one for one in self.store.hosts()}
        attempts = {one.host: one for one in self.store.last_attempts()}
        judged = assessed(attempts.values(), stored.values()) & frozenset(question.hosts or ())
        standing: dict[str, list[CurrentFinding]] = defaultdict(list)
        for finding in findings:
            standing[finding.host].append(finding)
        sections = []
        for host in self.hosts:
            section = _attempted(host, attempts.get(host.name), stored.get(host.name), question)
            known = stored.get(host.name)
            if known and known.reference:
                reference = self._run(known.reference)[host.name]
                section = replace(
                    section, referenced=by_id[known.reference].started, before=reference.counts
                )
                if host.name in judged:
                    section = self._judged(section, reference, standing[host.name])
            sections.append(section)
        return tuple(sections)

    def _judged(
        self, section: HostSection, reference: HostRun, standing: Iterable[CurrentFinding]
    ) -> HostSection:
        """Return the section with how the host stands now, as a whole and by chapter."""
        seen = self.store.summary(reference.run, reference.host)
        before = (seen and seen.verdicts) or {}
        after = {finding.control: finding for finding in standing}
        controls: dict[str, list[str]] = defaultdict(list)
        for control in {**before, **after}:
            known = self.baseline.controls.get(control)
            controls[known.chapter if known else ""].append(control)
        chapters = [
            ChapterCounts(
                name,
                Counts(Counter(before[one] for one in members if one in before)),
                _counts(after[one] for one in members if one in after),
            )
            for name, members in sorted(controls.items())
        ]
        return replace(section, after=_counts(after.values()), chapters=tuple(chapters))

    def _run(self, run: str) -> dict[str, HostRun]:
        if run not in self._host_runs:
            self._host_runs[run] = {one.host: one for one in self.store.run_hosts(run)}
        return self._host_runs[run]

    def _changes(self, runs: Iterable[Run]) -> tuple[RunSection, ...]:
        """Return the runs that changed hosts, oldest first; within a limit, those that met it."""
        names = {host.name for host in self.hosts}
        whole = not self.wanted.limit
        sections = []
        for run in runs:
            if run.kind is RunKind.AUDIT:
                continue
            outcomes = self.store.host_outcomes(run.id)
            ours = tuple(one for one in outcomes if whole or one.host in names)
            if ours or whole:
                sections.append(RunSection(run, ours))
        return tuple(reversed(sections))


def _attempted(
    host: ManagedHost, attempt: HostRun | None, known: StoredHost | None, question: Question
) -> HostSection:
    audited = known.last_seen if known else None
    return HostSection(
        name=host.name,
        agency=host.agency,
        level=host.level,
        management=host.management,
        reach=attempt.reach if attempt else None,
        failure=attempt.reason if attempt else "",
        audited=audited,
        stale=question.too_old(audited),
    )


def _counts(findings: Iterable[CurrentFinding]) -> Counts:
    many = tuple(findings)
    return Counts(Counter(one.verdict for one in many), sum(one.waived for one in many))

"""Gather from inventory, baseline and store what a report tells. Imports slow things: call late."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from orchestrator import __version__
from orchestrator.baseline.load import load_baseline
from orchestrator.baseline.waiver_file import load_waivers
from orchestrator.drift.underway import as_they_are
from orchestrator.fleet.inventory import start_resolving
from orchestrator.model.control import Baseline
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.finding import Mark, Reach, Verdict
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _, language
from orchestrator.model.record import Counts, CurrentFinding, DriftFilter, HostRun, Run, RunKind
from orchestrator.report.data import ChapterCounts, HostSection, ReportData, RunSection
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import Workspace

_ALL = 1_000_000
_NOT_GOOD = (Verdict.FAIL, Verdict.ERROR, Verdict.NOT_CHECKED)


def gather(workspace: Workspace, organisations: tuple[str, str], limit: str | None) -> ReportData:
    """Return what the store tells of the inventory's hosts, within ``limit`` where one is given.

    ``organisations`` are the reporting one and its parent. Raises ConfigurationError where no
    audit was made yet, ControllerError where the store fails.
    """
    resolving = start_resolving(workspace.settings.inventory, limit=limit)
    try:
        baseline = load_baseline(workspace.baseline_dirs)
        hosts = resolving.result().hosts
    finally:
        resolving.cancel()
    workspace.prepare_state()
    with Store.open(workspace.store_file) as store:
        return _Gathering(store, baseline, hosts).report(workspace, organisations, whole=not limit)


@dataclass(frozen=True)
class _Gathering:
    """One report being gathered from an open store."""

    store: Store
    baseline: Baseline
    hosts: tuple[ManagedHost, ...]
    _host_runs: dict[str, tuple[HostRun, ...]] = field(default_factory=dict)

    def report(
        self, workspace: Workspace, organisations: tuple[str, str], *, whole: bool
    ) -> ReportData:
        """Return the report; ``whole`` says that ``hosts`` are the whole inventory."""
        runs = as_they_are(workspace, self.store.runs(limit=_ALL))
        if not any(run.kind is RunKind.AUDIT for run in runs):
            message = _("no audit was made yet: there is nothing to report")
            raise ConfigurationError(message, hint=_("make one: luytre audit"))
        names = [host.name for host in self.hosts]
        findings = [one for one in self.store.findings(names) if not one.retired]
        return ReportData(
            organisation=organisations[0] or self._only_agency(),
            parent_organisation=organisations[1],
            created=datetime.now(UTC),
            operator=workspace.settings.operator.name,
            profile=self._profile(workspace.settings.profile),
            tool=__version__,
            hosts=self._sections(runs, findings),
            forgotten=self._forgotten() if whole else (),
            controls=self.baseline.controls,
            findings=tuple(one for one in findings if one.open or one.verdict in _NOT_GOOD),
            drift=self.store.transitions(DriftFilter(hosts=names)),
            runs=self._changes(runs, whole=whole),
            waivers=load_waivers(workspace.waivers_file).every,
        )

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
        self, runs: Iterable[Run], findings: Iterable[CurrentFinding]
    ) -> tuple[HostSection, ...]:
        stored = {host.name: host for host in self.store.hosts()}
        by_id = {run.id: run for run in runs}
        attempts = {one.host: one for one in self.store.last_attempts()}
        standing: dict[str, list[CurrentFinding]] = defaultdict(list)
        for finding in findings:
            standing[finding.host].append(finding)
        sections = []
        for host in self.hosts:
            section = _attempted(host, attempts.get(host.name))
            known = stored.get(host.name)
            if known and known.reference:
                reference = by_id[known.reference]
                # Nothing is claimed of a host that the last attempt did not reach.
                answered = section.reach is Reach.ANSWERED
                now = standing[host.name] if answered else []
                section = self._compared(section, reference, now)
                if not answered:
                    section = _unclaimed(section)
                section = replace(section, audited=known.last_seen)
            sections.append(section)
        return tuple(sections)

    def _compared(
        self, section: HostSection, reference: Run, standing: Iterable[CurrentFinding]
    ) -> HostSection:
        """Return the section with the reference audit and how the host stands now."""
        first = next(one for one in self._hosts_of(reference.id) if one.host == section.name)
        seen = self.store.summary(first.run, first.host)
        before = (seen and seen.verdicts) or {}
        after = {finding.control: finding for finding in standing}
        controls: dict[str, list[str]] = defaultdict(list)
        for control in {**before, **after}:
            known = self.baseline.controls.get(control)
            controls[known.chapter if known else _("no longer in the baseline")].append(control)
        chapters = [
            ChapterCounts(
                name,
                Counts(Counter(before[one] for one in members if one in before)),
                _counts(after[one] for one in members if one in after),
            )
            for name, members in sorted(controls.items())
        ]
        return replace(
            section,
            referenced=reference.started,
            before=first.counts,
            after=_counts(after.values()),
            chapters=tuple(chapters),
        )

    def _hosts_of(self, run: str) -> tuple[HostRun, ...]:
        if run not in self._host_runs:
            self._host_runs[run] = self.store.run_hosts(run)
        return self._host_runs[run]

    def _changes(self, runs: Iterable[Run], *, whole: bool) -> tuple[RunSection, ...]:
        """Return the runs that changed hosts, oldest first; within a limit, those that met it."""
        names = {host.name for host in self.hosts}
        sections = []
        for run in runs:
            if run.kind is RunKind.AUDIT:
                continue
            outcomes = self.store.host_outcomes(run.id)
            ours = tuple(one for one in outcomes if whole or one.host in names)
            if ours or whole:
                sections.append(RunSection(run, ours))
        return tuple(reversed(sections))


def _unclaimed(section: HostSection) -> HostSection:
    chapters = tuple(replace(chapter, after=None) for chapter in section.chapters)
    return replace(section, after=None, chapters=chapters)


def _attempted(host: ManagedHost, attempt: HostRun | None) -> HostSection:
    return HostSection(
        name=host.name,
        agency=host.agency,
        level=host.level,
        management=host.management,
        reach=attempt.reach if attempt else None,
        failure=attempt.reason if attempt else "",
    )


def _counts(findings: Iterable[CurrentFinding]) -> Counts:
    many = tuple(findings)
    waived = sum(one.verdict is Verdict.FAIL and Mark.WAIVED in one.marks for one in many)
    return Counts(Counter(one.verdict for one in many), waived)

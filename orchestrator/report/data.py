"""What a report tells: plain data, gathered from the store by the door that writes the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from orchestrator.model.alert import KeptAlert
from orchestrator.model.antivirus import Standing
from orchestrator.model.change import HostOutcome
from orchestrator.model.control import Control
from orchestrator.model.drift import Drift
from orchestrator.model.finding import Reach
from orchestrator.model.host import Management
from orchestrator.model.patches import Patches
from orchestrator.model.protection import USUAL, Gate, Protection
from orchestrator.model.record import Counts, CurrentFinding, Run
from orchestrator.model.status import Matter
from orchestrator.model.waiver import Waiver
from orchestrator.model.watch import WatchStanding
from orchestrator.report.series import Trend


@dataclass(frozen=True)
class ChapterCounts:
    """One chapter on one host: at its reference audit and now; None where it was not audited.

    Controls that have left the baseline are in the chapter without a name.
    """

    chapter: str
    before: Counts | None = None
    after: Counts | None = None


@dataclass(frozen=True)
class HostSection:
    """One host of the inventory.

    ``reach`` and ``failure`` are those of the last attempt to audit it (None: never attempted).
    ``before`` is its reference audit (the first whole one) of the time ``referenced``, ``after``
    how it stands since the audit of the time ``audited``, which may be ``stale``. Times are UTC.
    """

    name: str
    agency: str = ""
    level: int | None = None
    management: Management = Management.MANAGED
    reach: Reach | None = None
    failure: str = ""
    referenced: datetime | None = None
    audited: datetime | None = None
    stale: bool = False
    before: Counts | None = None
    after: Counts | None = None
    chapters: tuple[ChapterCounts, ...] = ()

    @property
    def assessed(self) -> bool:
        """Tell whether the report's figures speak of the host; nothing is claimed of others."""
        return self.after is not None


@dataclass(frozen=True)
class RunSection:
    """One run that changed hosts, and how it ended on each of them."""

    run: Run
    outcomes: tuple[HostOutcome, ...] = ()


@dataclass(frozen=True)
class AntivirusSection:
    """How one host stands with malware (None: it was never asked), and how many detections wait."""

    host: str
    standing: Standing | None
    detections: int = 0


@dataclass(frozen=True)
class ReportData:
    """Everything that one report tells; times are UTC.

    ``hosts`` is the whole inventory, so that the denominator is the true one; ``forgotten`` are
    hosts that the store knows and the inventory does not. ``controls`` gives titles, chapters and
    references. ``findings`` are those that stand as fail, error or not checked. ``trend`` (by
    agency) and ``drift`` tell what happened since the time ``since``; ``matters`` are what somebody
    has to do something about. ``waivers`` are all of the workspace. ``protections`` tell of every
    managed host whether it could be brought back, as ``gate`` asks for it; ``patches`` are what
    hosts said of their updates. ``alerts`` are what servers saw of intruders since then, and what
    is open of before; ``watches`` tell how those stand that watch themselves, ``antivirus`` how
    hosts stand with malware.
    """

    organisation: str
    created: datetime
    operator: str
    profile: str
    tool: str
    parent_organisation: str = ""
    hosts: tuple[HostSection, ...] = ()
    forgotten: tuple[str, ...] = ()
    controls: Mapping[str, Control] = field(default_factory=dict)
    findings: tuple[CurrentFinding, ...] = ()
    since: datetime | None = None
    trend: Trend | None = None
    drift: tuple[Drift, ...] = ()
    matters: tuple[Matter, ...] = ()
    runs: tuple[RunSection, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    protections: tuple[Protection, ...] = ()
    gate: Gate = USUAL
    patches: tuple[Patches, ...] = ()
    alerts: tuple[KeptAlert, ...] = ()
    watches: tuple[WatchStanding, ...] = ()
    antivirus: tuple[AntivirusSection, ...] = ()

    @cached_property
    def assessed(self) -> tuple[HostSection, ...]:
        """Return the hosts that the figures speak of."""
        return tuple(host for host in self.hosts if host.assessed)

    def chapter_of(self, control: str) -> str:
        """Return the chapter of a control; empty where it has left the baseline."""
        known = self.controls.get(control)
        return known.chapter if known else ""

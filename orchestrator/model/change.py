"""Plans and the outcomes of changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.model.finding import Risk
from orchestrator.model.impact import Impact
from orchestrator.model.waiver import Waiver


@dataclass(frozen=True)
class Change:
    """What apply would do for one control on one host.

    ``before`` maps each resource to the digest of its present state: the host compares it again at
    the moment of change. ``install`` and ``remove`` hold packages (``install`` pinned to versions).
    ``impacts`` tell what somebody who uses it now would lose. ``prunes``: the control is taken out,
    and what it had changed goes back to what was before it.
    """

    control: str
    risk: Risk
    summary: tuple[str, ...]
    diff: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    activates: tuple[str, ...] = ()
    install: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    impacts: tuple[Impact, ...] = ()
    prunes: bool = False


@dataclass(frozen=True)
class HostPlan:
    """The changes of one host.

    ``unplanned`` maps controls that cannot be planned to the reason; ``by_hand`` those that no
    program may mend to what people have to decide; ``waived`` those that are left alone, because
    they fail as it was accepted, to the waiver. Of a host that is only audited (``audit_only``) it
    tells what would change; apply leaves it alone.
    """

    host: str
    manifest_digest: str
    changes: tuple[Change, ...] = ()
    unplanned: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    by_hand: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, Waiver] = field(default_factory=dict)
    audit_only: bool = False


class Outcome(StrEnum):
    """How a change of one host ended."""

    UNCHANGED = "unchanged"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "not_started"


FAILURES = (Outcome.ROLLED_BACK, Outcome.FAILED, Outcome.REFUSED, Outcome.UNREACHABLE)


@dataclass(frozen=True)
class HostOutcome:
    """How a change of one host ended, with the plain reason."""

    host: str
    outcome: Outcome
    reason: str = ""
    changed: tuple[str, ...] = ()
    still_failing: tuple[str, ...] = ()

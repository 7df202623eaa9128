"""What errors, plans and audits mean for the outcome of a host."""

from collections.abc import Collection
from dataclasses import replace

from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
from orchestrator.model.errors import HostError, HostRefusedError, UnreachableError
from orchestrator.model.finding import HostAudit, Mark, Reach, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _


def outcome_of_error(error: HostError) -> HostOutcome:
    """Return how a host takes part in a change that could not be worked with."""
    outcome = Outcome.FAILED
    if isinstance(error, UnreachableError):
        outcome = Outcome.UNREACHABLE
    elif isinstance(error, HostRefusedError):
        outcome = Outcome.REFUSED
    return HostOutcome(error.host, outcome, error.message)


def way_back_failed(host: str, why: str) -> str:
    """Return the words for a host that could not be taken back, with the next command."""
    critical = _(
        "CRITICAL: the way back failed: {why}; next: luytre rollback --host {host} --force"
    )
    return critical.format(why=why, host=host)


def joined(*reasons: str) -> str:
    """Return reasons as one; empty ones are left out."""
    return "; ".join(filter(None, reasons))


def with_unplanned(outcome: HostOutcome, plan: HostPlan) -> HostOutcome:
    """Tell beside the outcome which controls could not be planned, and why."""
    if not plan.unplanned:
        return outcome
    told = "; ".join(f"{control}: {in_words(why)}" for control, why in plan.unplanned.items())
    unplanned = _("cannot be planned: {told}").format(told=told)
    return replace(outcome, reason=joined(outcome.reason, unplanned))


def settled(outcome: HostOutcome, plan: HostPlan, audit: HostAudit | None) -> HostOutcome:
    """Return what an audit makes of an outcome: a confirmed host must be as it was wanted.

    One whose changed controls still fail, or that does not answer any more, is a failed apply
    (DESIGN 5.8); without an audit, the outcome stays. A control of updates may go on failing for
    those that were not agreed on: that is told, and the host stays confirmed.
    """
    ended = settled_for(outcome, wanted_by(plan), audit)
    waiting = _still([c.control for c in plan.changes if _of_packages_alone(c)], audit)
    if not waiting or ended.outcome is not Outcome.CONFIRMED:
        return ended
    told = _("as it was agreed; what came up since, or is kept back by apt, waits")
    return replace(ended, reason=joined(told, ended.reason), still_failing=waiting)


def wanted_by(plan: HostPlan) -> frozenset[str]:
    """Return the controls of a plan that must hold once it is carried out.

    Of packages alone the host sees itself that those which were agreed on are there: more that wait
    since, or that apt keeps back, are of a later plan.
    """
    return frozenset(
        change.control
        for change in plan.changes
        if not (change.prunes or _of_packages_alone(change))
    )


def _of_packages_alone(change: Change) -> bool:
    others = [resource for resource in change.before if not resource.startswith("package:")]
    more = others or change.remove or change.activates or change.prunes
    return bool(change.install) and not more


def settled_for(
    outcome: HostOutcome, wanted: Collection[str], audit: HostAudit | None
) -> HostOutcome:
    """Return the same for a host of whose plan only these controls are known."""
    if outcome.outcome is not Outcome.CONFIRMED or audit is None:
        return outcome
    if audit.reach is not Reach.ANSWERED:
        told = _("confirmed, but gone when it was audited again: {why}").format(why=audit.failure)
        return replace(outcome, outcome=Outcome.FAILED, reason=joined(told, outcome.reason))
    still = _still(wanted, audit)
    if not still:
        return outcome
    told = _("confirmed, but not as wanted: {controls}").format(controls=", ".join(still))
    reason = joined(told, outcome.reason)
    return replace(outcome, outcome=Outcome.FAILED, reason=reason, still_failing=still)


def _still(wanted: Collection[str], audit: HostAudit | None) -> tuple[str, ...]:
    """Return those of some controls that an audit finds not to hold."""
    wrong = (Verdict.FAIL, Verdict.ERROR)
    findings = audit.findings if audit is not None else ()
    return tuple(
        f.control
        for f in findings
        if f.control in wanted and f.verdict in wrong and Mark.PENDING not in f.marks
    )

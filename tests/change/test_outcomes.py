"""What plans and audits make of the outcome of a host."""

import pytest

from orchestrator.change.outcomes import settled, with_unplanned
from orchestrator.model.change import Change, HostOutcome, HostPlan, Outcome
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Risk,
    Severity,
    StateFinding,
    Verdict,
)

PLAN = HostPlan("web1", "", (Change("banner", Risk.NONE, ()),), {"firewall": "no nft here"})
DONE = HostOutcome("web1", Outcome.CONFIRMED)


def audit(verdict: Verdict, *marks: Mark, control: str = "banner") -> HostAudit:
    states = (StateFinding("file", verdict),)
    found = Finding("web1", control, verdict, Severity.LOW, states, marks=frozenset(marks))
    return HostAudit("web1", Reach.ANSWERED, (found,))


@pytest.mark.parametrize("reach", [Reach.UNREACHABLE, Reach.FAILED])
def test_a_confirmed_host_that_is_gone_when_audited_again_has_failed(reach: Reach) -> None:
    gone = settled(DONE, PLAN, HostAudit("web1", reach, failure="no route"))
    assert gone.outcome is Outcome.FAILED
    assert "no route" in gone.reason


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (audit(Verdict.PASS), Outcome.CONFIRMED),
        (audit(Verdict.FAIL), Outcome.FAILED),
        (audit(Verdict.ERROR), Outcome.FAILED),
        (audit(Verdict.FAIL, Mark.PENDING), Outcome.CONFIRMED),
        (audit(Verdict.FAIL, control="other"), Outcome.CONFIRMED),
        (None, Outcome.CONFIRMED),
    ],
)
def test_only_what_was_changed_and_still_fails_is_a_failure(
    seen: HostAudit | None, outcome: Outcome
) -> None:
    assert settled(DONE, PLAN, seen).outcome is outcome


def test_other_outcomes_stay_whatever_the_audit_finds() -> None:
    back = HostOutcome("web1", Outcome.ROLLED_BACK, "took itself back")
    assert settled(back, PLAN, audit(Verdict.FAIL)) == back


def test_what_could_not_be_planned_is_told_beside_the_outcome() -> None:
    assert "firewall: no nft here" in with_unplanned(DONE, PLAN).reason

"""Whatever sequence of audits happens, what is told agrees with what is so."""

from datetime import UTC, datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.drift.lifecycle import AuditContext, advance
from orchestrator.model.drift import DriftEvent
from orchestrator.model.finding import (
    Finding,
    HostAudit,
    Mark,
    Reach,
    Severity,
    StateFinding,
    Verdict,
)
from orchestrator.model.record import Memory

CONTROLS = ("a", "b", "c")
DEFINITE = {Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE}
START = datetime(2026, 11, 23, tzinfo=UTC)


@st.composite
def findings(draw, control):
    verdict = draw(st.sampled_from(list(Verdict)))
    state = StateFinding("sshd", verdict, "no", draw(st.sampled_from(["x", "y"])))
    marks = draw(st.sets(st.sampled_from(list(Mark)))) if verdict is Verdict.FAIL else ()
    return Finding("web1", control, verdict, Severity.LOW, (state,), frozenset(marks))


@st.composite
def audits(draw):
    """Draw (audit, wants, tool, partial): some controls wanted, most of them answered."""
    wants = draw(st.dictionaries(st.sampled_from(CONTROLS), st.sampled_from(["w1", "w2"])))
    answered = [control for control in wants if draw(st.integers(0, 9))]
    reach = draw(st.sampled_from([Reach.ANSWERED] * 8 + [Reach.UNREACHABLE, Reach.FAILED]))
    found = tuple(draw(findings(c)) for c in answered) if reach is Reach.ANSWERED else ()
    audit = HostAudit("web1", reach, found)
    return audit, wants, draw(st.sampled_from(["1", "2"])), draw(st.booleans())


def play(steps):
    """Yield (step number, memory before, what the audit made of it, audit, context)."""
    memory = Memory()
    for number, (audit, wants, tool, partial) in enumerate(steps):
        at = START + timedelta(minutes=number)
        context = AuditContext(f"run{number}", at, tool, wants, partial)
        step = advance(memory, audit, context)
        yield memory, step, audit, context
        memory = after(memory, step, audit, context)


def after(memory, step, audit, context):
    whole = audit.reach is Reach.ANSWERED and not context.partial
    return Memory({**memory.findings, **step.findings}, memory.referenced or whole)


def seen_by(audit, context, known):
    """Return control → finding (None: not checked) of what an audit says anything about."""
    if audit.reach is not Reach.ANSWERED:
        return {}
    said = {finding.control: finding for finding in audit.findings}
    if context.partial:
        return {c: f for c, f in said.items() if f.verdict is not Verdict.NOT_CHECKED}
    return {**dict.fromkeys(known), **said}


histories = st.lists(audits(), min_size=1, max_size=12)


@settings(deadline=None)
@given(histories)
def test_the_current_state_is_the_last_that_was_observed(steps):
    expected = {}
    memory = Memory()
    for before, step, audit, context in play(steps):
        for control, finding in seen_by(audit, context, expected).items():
            expected[control] = finding.verdict if finding else Verdict.NOT_CHECKED
        memory = after(before, step, audit, context)
        assert {c: one.verdict for c, one in memory.findings.items()} == expected


@settings(deadline=None)
@given(histories)
def test_open_failures_told_by_transitions_are_those_that_stand(steps):
    told, standing = set(), {}
    for before, step, audit, context in play(steps):
        reference = {c for c in step.findings if c not in before.findings and not before.referenced}
        told |= {c for c in reference if step.findings[c].open}
        for one in step.drift:
            event(f"{one.event} because of {one.cause}")
            assert one.control not in reference
            if one.event in {DriftEvent.OPENED, DriftEvent.REGRESSED}:
                assert one.control not in told, "opened while it was open"
                told.add(one.control)
            elif one.event is DriftEvent.RESOLVED:
                told.discard(one.control)
        for control, finding in seen_by(audit, context, standing).items():
            if control not in context.wants:
                standing[control] = False
            elif finding and finding.verdict in DEFINITE:
                failed = finding.verdict is Verdict.FAIL
                standing[control] = failed and Mark.WAIVED not in finding.marks
            else:
                standing.setdefault(control, False)
        now = after(before, step, audit, context)
        assert {c for c, one in now.findings.items() if one.open} == told
        assert {c for c, is_open in standing.items() if is_open} == told


@settings(deadline=None)
@given(histories)
def test_the_same_audit_again_tells_nothing(steps):
    *_, (before, step, audit, context) = play(steps)
    memory = after(before, step, audit, context)
    again = advance(memory, audit, context)
    assert again.drift == ()
    assert all(memory.findings[control] == one for control, one in again.findings.items())


@settings(deadline=None)
@given(histories)
def test_a_verdict_that_moved_is_told_once_and_one_that_was_not_seen_never(steps):
    calm = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    for before, step, audit, context in play(steps):
        told = [one.control for one in step.drift]
        assert len(told) == len(set(told))
        assert set(told) <= set(seen_by(audit, context, before.findings))
        for control, now in step.findings.items():
            old = before.findings.get(control)
            if old is None or old.retired or now.retired:
                continue
            if old.verdict is not now.verdict and not {old.verdict, now.verdict} <= calm:
                assert control in told

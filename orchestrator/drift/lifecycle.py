"""The lifecycle of findings: what an audit makes of what was known. Pure.

Every change of a verdict gives one transition, except between pass and not_applicable. A failure is
*open* while no waiver covers it; a control that cannot be read keeps its last reading, so a failure
behind an ``error`` stays open and never opens twice.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.model.drift import Cause, Drift, DriftEvent
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Verdict
from orchestrator.model.record import Advance, CurrentFinding, Memory, Reading

_UNREAD = {
    Verdict.ERROR: DriftEvent.UNREADABLE,
    Verdict.NOT_CHECKED: DriftEvent.NOT_CHECKED,
}


@dataclass(frozen=True)
class AuditContext:
    """What is true of one audit of one host.

    ``wants`` maps each control of the host's whole manifest to its digest, ``tool`` is our version,
    ``partial`` says that only a part of the baseline was looked at.
    """

    run: str
    at: datetime
    tool: str
    wants: Mapping[str, str]
    partial: bool = False


def digest(texts: Iterable[str]) -> str:
    """Return the SHA-256 (hexadecimal) of texts, each with its length: none can pass for two."""
    joined = "".join([f"{len(text)}:{text}" for text in texts])
    # Hosts may answer with lone surrogates.
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def advance(memory: Memory, audit: HostAudit, context: AuditContext) -> Advance:
    """Return how the looked-at findings stand after an audit, and what is different.

    What the audit did not look at is not in the answer: nothing of a host that did not answer,
    nothing outside of a partial audit's part. A control's first reading before the first whole
    audit ended is the reference and gives no drift.
    """
    if audit.reach is not Reach.ANSWERED:
        return Advance()
    findings: dict[str, CurrentFinding] = {}
    drift: list[Drift] = []
    for finding in _looked_at(memory, audit, context):
        previous = memory.findings.get(finding.control)
        now = _now(previous, finding, context)
        findings[finding.control] = now
        if previous is not None or memory.referenced:
            drift.extend(_drift(previous, now, context))
    for previous in _leaving(memory, context):
        now = _retired(previous, context)
        findings[previous.control] = now
        drift.extend(_leaving_drift(previous, now, context))
    return Advance(findings, tuple(drift))


def _looked_at(memory: Memory, audit: HostAudit, context: AuditContext) -> Iterator[Finding]:
    """Yield the findings that count; a whole audit that skips a known control did not check it."""
    answered = {finding.control for finding in audit.findings}
    for finding in audit.findings:
        if not (context.partial and finding.verdict is Verdict.NOT_CHECKED):
            yield finding
    if context.partial:
        return
    for control, known in sorted(memory.findings.items()):
        if control in context.wants and control not in answered and not known.retired:
            yield Finding(audit.host, control, Verdict.NOT_CHECKED, known.severity)


def _now(
    previous: CurrentFinding | None, finding: Finding, context: AuditContext
) -> CurrentFinding:
    kept = previous is not None and not previous.retired and previous.verdict is finding.verdict
    passed = finding.verdict is Verdict.PASS
    return CurrentFinding(
        host=finding.host,
        control=finding.control,
        verdict=finding.verdict,
        severity=finding.severity,
        since=previous.since if previous and kept else context.at,
        last_run=context.run,
        marks=finding.marks,
        expected=finding.expected,
        observed=finding.observed,
        ever_passed=passed or (previous is not None and previous.ever_passed),
        reading=_reading(previous, finding, context),
    )


def _reading(
    previous: CurrentFinding | None, finding: Finding, context: AuditContext
) -> Reading | None:
    if finding.verdict in _UNREAD:
        return previous.reading if previous else None
    return Reading(
        verdict=finding.verdict,
        open=finding.verdict is Verdict.FAIL and Mark.WAIVED not in finding.marks,
        observed=_observed_digest(finding),
        want=context.wants.get(finding.control, ""),
        tool=context.tool,
    )


def _observed_digest(finding: Finding) -> str:
    observed = ((state.kind, state.observed, state.detail) for state in finding.states)
    return digest(text for texts in observed for text in texts)


def _drift(
    previous: CurrentFinding | None, now: CurrentFinding, context: AuditContext
) -> Iterator[Drift]:
    if previous is None or previous.retired:
        event: DriftEvent | None = _newcomer(now)
        cause = Cause.BASELINE
    else:
        event = _event(previous, now)
        cause = _cause(previous, now, context)
    if event is not None:
        yield _transition(previous, now, context, event, cause)


def _newcomer(now: CurrentFinding) -> DriftEvent | None:
    """Return the event of a control that was not in the host's baseline before."""
    if now.open:
        return DriftEvent.REGRESSED if now.ever_passed else DriftEvent.OPENED
    return _UNREAD.get(now.verdict)


def _event(previous: CurrentFinding, now: CurrentFinding) -> DriftEvent | None:
    if now.verdict in _UNREAD:
        return _UNREAD[now.verdict] if previous.verdict is not now.verdict else None
    if now.open and not previous.open:
        return _opening(previous)
    if previous.open and not now.open:
        return DriftEvent.RESOLVED
    if now.verdict is Verdict.FAIL:
        same = previous.verdict is Verdict.FAIL and _same_observed(previous, now)
        return None if same else DriftEvent.CHANGED
    mended = previous.verdict in {*_UNREAD, Verdict.FAIL}
    return DriftEvent.RESOLVED if mended else None


def _opening(previous: CurrentFinding) -> DriftEvent:
    """Return how a failure opens; one that a waiver covered failed all the time: no regression."""
    waived = previous.reading is not None and previous.reading.verdict is Verdict.FAIL
    if previous.ever_passed and not waived:
        return DriftEvent.REGRESSED
    return DriftEvent.OPENED


def _cause(previous: CurrentFinding, now: CurrentFinding, context: AuditContext) -> Cause:
    old, new = previous.reading, now.reading
    if old is None:
        return Cause.HOST
    read = new if now.verdict not in _UNREAD else None
    if read and _waiver_did_it(old, read):
        return Cause.WAIVER
    if old.want != context.wants.get(now.control, ""):
        return Cause.BASELINE
    if old.tool != context.tool and _is_the_tools(old, now):
        return Cause.TOOL
    return Cause.HOST


def _is_the_tools(old: Reading, now: CurrentFinding) -> bool:
    """Tell whether another version of ours explains it: the same value, or nobody looked at it."""
    if now.verdict in _UNREAD:
        return now.verdict is Verdict.NOT_CHECKED
    return now.reading is not None and now.reading.observed == old.observed


def _waiver_did_it(old: Reading, new: Reading) -> bool:
    if old.verdict is not Verdict.FAIL or new.verdict is not Verdict.FAIL or old.open == new.open:
        return False
    # Another value than the accepted one is a new failure: the host's doing, not the waiver's.
    return old.open or old.observed == new.observed


def _same_observed(previous: CurrentFinding, now: CurrentFinding) -> bool:
    old, new = previous.reading, now.reading
    return old is not None and new is not None and old.observed == new.observed


def _leaving(memory: Memory, context: AuditContext) -> Iterator[CurrentFinding]:
    """Yield the controls that a whole audit no longer wants of the host."""
    if context.partial:
        return
    for control, known in sorted(memory.findings.items()):
        if control not in context.wants and not known.retired:
            yield known


def _retired(previous: CurrentFinding, context: AuditContext) -> CurrentFinding:
    return replace(
        previous,
        verdict=Verdict.NOT_CHECKED,
        since=context.at,
        last_run=context.run,
        marks=frozenset(),
        expected="",
        observed="",
        retired=True,
        reading=None,
    )


def _leaving_drift(
    previous: CurrentFinding, now: CurrentFinding, context: AuditContext
) -> Iterator[Drift]:
    if previous.open:
        yield _transition(previous, now, context, DriftEvent.RESOLVED, Cause.BASELINE)
    elif previous.verdict in {Verdict.PASS, Verdict.FAIL, Verdict.ERROR}:
        yield _transition(previous, now, context, DriftEvent.NOT_CHECKED, Cause.BASELINE)


def _transition(
    previous: CurrentFinding | None,
    now: CurrentFinding,
    context: AuditContext,
    event: DriftEvent,
    cause: Cause,
) -> Drift:
    return Drift(
        host=now.host,
        control=now.control,
        event=event,
        cause=cause,
        severity=now.severity,
        before=previous.verdict if previous else None,
        after=now.verdict,
        expected=now.expected,
        observed=now.observed,
        at=context.at,
        run=context.run,
    )

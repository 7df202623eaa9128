"""Audits, for people and for programs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.cli.views.cells import (
    STYLE_OF_VERDICT,
    Block,
    blocks,
    cell,
    heading,
    line,
    table,
)
from orchestrator.model.finding import Finding, HostAudit, Mark, Reach, Verdict
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _, _n, language
from orchestrator.model.record import Counts
from orchestrator.report.compliance import SEVEREST_FIRST, percent, percent_text, total
from orchestrator.report.words import verdict_name

MOST_ROWS = 40
MOST_VALUES = 3
_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.NOT_APPLICABLE, Verdict.NOT_CHECKED)


def render(
    audits: Sequence[HostAudit],
    titles: Mapping[str, str] | None = None,
    unmanaged: Sequence[str] = (),
) -> RenderableType:
    """Return the audit of a fleet: hosts, then what is open, by control, severest first.

    ``titles`` are the controls' titles in the operator's language; ``unmanaged`` are hosts of the
    inventory that nobody audits: they belong to the denominator.
    """
    findings = [finding for audit in audits for finding in audit.findings]
    parts: list[RenderableType] = [_hosts(audits), *_not_reached(audits)]
    for verdict, waived, title in (
        (Verdict.FAIL, False, _("Open failures")),
        (Verdict.ERROR, False, _("Could not be read (never counted as pass)")),
        (Verdict.FAIL, True, _("Waived failures")),
    ):
        chosen = [
            f for f in findings if f.verdict is verdict and (Mark.WAIVED in f.marks) is waived
        ]
        if chosen:
            parts += [heading(title), _by_control(chosen, titles or {})]
    return Group(*parts, _summary(audits, unmanaged))


def document(audits: Sequence[HostAudit], unmanaged: Sequence[str] = ()) -> dict[str, Any]:
    """Return the audit of a fleet as plain data, every host and every finding in it."""
    counted = total(Counts.of(audit.findings) for audit in audits)
    return {
        "summary": {
            "hosts": len(audits),
            **{reach.value: sum(a.reach is reach for a in audits) for reach in Reach},
            "unmanaged": list(unmanaged),
            **_counts(counted),
        },
        "hosts": [_host_document(audit) for audit in audits],
    }


def counts_document(counts: Counts | None) -> dict[str, Any] | None:
    """Return the counts of a host and its compliance in percent (null: nothing was judged)."""
    return None if counts is None else _counts(counts)


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "verdicts": {verdict.value: counts.verdicts.get(verdict, 0) for verdict in _JUDGED},
        "waived": counts.waived,
        "compliance_percent": percent(counts),
    }


def _host_document(audit: HostAudit) -> dict[str, Any]:
    return {
        "host": audit.host,
        "reach": audit.reach.value,
        "failure": audit.failure,
        "seconds": round(audit.seconds, 3),
        **_counts(Counts.of(audit.findings)),
        "findings": [
            {
                "control": finding.control,
                "verdict": finding.verdict.value,
                "severity": finding.severity.value,
                "marks": sorted(mark.value for mark in finding.marks),
                "states": [
                    {
                        "kind": state.kind,
                        "verdict": state.verdict.value,
                        "expected": state.expected,
                        "observed": state.observed,
                        "detail": state.detail,
                    }
                    for state in finding.states
                ],
            }
            for finding in audit.findings
        ],
    }


def _hosts(audits: Sequence[HostAudit]) -> RenderableType:
    """Return one row per host; in a large fleet, the worst ones and a row that sums the rest."""
    short = {Verdict.NOT_APPLICABLE: _("n/a")}
    numbers = [short.get(verdict, verdict_name(verdict)) for verdict in _JUDGED]
    numbers += [_("waived"), _("compliant")]
    made = table(_("host"), *numbers, numbers=numbers)
    answered = sorted((a for a in audits if a.reach is Reach.ANSWERED), key=_worst_first)
    shown = answered if len(answered) <= MOST_ROWS else answered[:MOST_ROWS]
    for audit in shown:
        _count_row(made, cell(audit.host), Counts.of(audit.findings))
    if rest := answered[len(shown) :]:
        counts = total(Counts.of(audit.findings) for audit in rest)
        name = _n("{n} better host", "{n} better hosts together", len(rest)).format(n=len(rest))
        _count_row(made, name, counts, "dim")
    if len(answered) > 1:
        made.add_section()
        counts = total(Counts.of(audit.findings) for audit in answered)
        _count_row(made, _("all {n} that answered").format(n=len(answered)), counts, "bold")
    return made if answered else Text()


def _count_row(made: Table, name: str | Text, counts: Counts, style: str = "") -> None:
    cells = [
        Text(str(counts.verdicts.get(v, 0)), STYLE_OF_VERDICT[v] if counts.verdicts.get(v) else "")
        for v in _JUDGED
    ]
    made.add_row(
        name, *cells, str(counts.waived), percent_text(counts, language()), style=style or None
    )


def _worst_first(audit: HostAudit) -> tuple[float, str]:
    value = percent(Counts.of(audit.findings))
    return (-1 if value is None else value, audit.host)


def _not_reached(audits: Iterable[HostAudit]) -> list[RenderableType]:
    """Return every host without findings, grouped by its plain reason."""
    reasons: dict[tuple[Reach, str], list[str]] = defaultdict(list)
    for audit in audits:
        if audit.reach is not Reach.ANSWERED:
            reasons[(audit.reach, audit.failure.replace(audit.host, "…"))].append(audit.host)
    if not reasons:
        return []
    parts: list[RenderableType] = [heading(_("Not audited"))]
    for (reach, reason), hosts in sorted(reasons.items(), key=lambda item: -len(item[1])):
        what = _("unreachable") if reach is Reach.UNREACHABLE else _("no usable answer")
        parts.append(line(f"{len(hosts)} {what}: {reason}", "red"))
        parts.append(line("  " + ", ".join(sorted(hosts))))
    return parts


def _by_control(findings: Iterable[Finding], titles: Mapping[str, str]) -> RenderableType:
    """Return a block per control, and one more for each other thing that was wanted of it."""
    controls: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        controls[finding.control].append(finding)
    return blocks(
        Block(
            found[0].severity, control, titles.get(control, ""), in_words(expected), _observed(same)
        )
        for control, found in sorted(controls.items(), key=lambda item: _severest_first(item[1]))
        for expected, same in _grouped(found, lambda finding: finding.expected)
    )


def _severest_first(found: Sequence[Finding]) -> tuple[int, int, str]:
    return (SEVEREST_FIRST.index(found[0].severity), -len(found), found[0].control)


def _observed(found: Iterable[Finding]) -> list[tuple[str, list[str]]]:
    """Return the most frequent values with their hosts, then what stands for the others."""
    values = [
        (value, [finding.host for finding in same]) for value, same in _grouped(found, _value)
    ]
    shown, rest = values[:MOST_VALUES], values[MOST_VALUES:]
    if rest:
        more = _n("… {n} more value", "… {n} more values", len(rest)).format(n=len(rest))
        shown.append((more, [host for _value, hosts in rest for host in hosts]))
    return shown


def _value(finding: Finding) -> str:
    pending = " " + _("(pending)") if Mark.PENDING in finding.marks else ""
    return in_words(finding.observed) + pending


def _grouped(
    found: Iterable[Finding], key: Callable[[Finding], str]
) -> list[tuple[str, list[Finding]]]:
    """Return the findings by a text of theirs, the most frequent one first."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        groups[key(finding)].append(finding)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def _summary(audits: Sequence[HostAudit], unmanaged: Sequence[str]) -> RenderableType:
    reached = {reach: sum(audit.reach is reach for audit in audits) for reach in Reach}
    counts = total(Counts.of(audit.findings) for audit in audits)
    n = len(audits) + len(unmanaged)
    hosts = _n("{n} host: {answered} answered", "{n} hosts: {answered} answered", n)
    parts = [hosts.format(n=n, answered=reached[Reach.ANSWERED])]
    if reached[Reach.UNREACHABLE]:
        parts.append(_("{n} unreachable").format(n=reached[Reach.UNREACHABLE]))
    if reached[Reach.FAILED]:
        parts.append(_("{n} without a usable answer").format(n=reached[Reach.FAILED]))
    if unmanaged:
        parts.append(_("{n} unmanaged").format(n=len(unmanaged)))
    share = _("compliant: {percent}").format(percent=percent_text(counts, language()))
    return heading(" · ".join([*parts, share]))

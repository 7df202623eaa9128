"""An audit as a table for spreadsheets: one row per host and control."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

from orchestrator.model.control import Control
from orchestrator.model.finding import Finding, HostAudit, Reach
from orchestrator.model.text import visible

COLUMNS = (
    "host",
    "reach",
    "chapter",
    "control",
    "title",
    "verdict",
    "severity",
    "marks",
    "expected",
    "observed",
)
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), the full-width
# forms as well; where commas stand in numbers, a semicolon begins a new cell even within a value.
_FORMULA = re.compile(r'(^|;)("*[=+\-@＝＋－＠])')
# Spreadsheets take a file without it for one of their own country's old encodings.
_BYTE_ORDER_MARK = "\ufeff"


def render(
    audits: Sequence[HostAudit],
    controls: Mapping[str, Control],
    unmanaged: Sequence[str],
    language: str,
) -> str:
    """Return the audit of a fleet as CSV (RFC 4180) with a byte order mark.

    A host without findings has one row with the reason under ``observed``. What a host said can
    neither start a formula nor break a line.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for audit in audits:
        for finding in audit.findings:
            control = controls[finding.control]
            told = [control.chapter, control.id, control.title.in_language(language)]
            writer.writerow(map(_cell, [audit.host, audit.reach, *told, *_judged(finding)]))
        if audit.reach is not Reach.ANSWERED:
            row = [audit.host, audit.reach, *[""] * (len(COLUMNS) - 3), audit.failure]
            writer.writerow(map(_cell, row))
    for host in unmanaged:
        writer.writerow(map(_cell, [host, "unmanaged", *[""] * (len(COLUMNS) - 2)]))
    return _BYTE_ORDER_MARK + stream.getvalue()


def _judged(finding: Finding) -> list[str]:
    marks = " ".join(sorted(mark.value for mark in finding.marks))
    told = [finding.verdict.value, finding.severity.value, marks]
    return [*told, finding.expected, finding.observed]


def _cell(text: str) -> str:
    shown = visible(text)
    return _FORMULA.sub(r"\1'\2", shown)

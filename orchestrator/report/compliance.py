"""How compliant: one way to count and to say it, for the terminal and for documents."""

import math
from collections.abc import Iterable

from orchestrator.model.finding import Severity, Verdict
from orchestrator.model.record import Counts

NOTHING = "—"
SEVEREST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def percent(counts: Counts | None) -> float | None:
    """Return pass / (pass + fail + error) in percent; None where nothing was judged.

    What could not be read counts against the host; waived failures stay failures.
    """
    if counts is None:
        return None
    passed = counts.verdicts.get(Verdict.PASS, 0)
    judged = passed + counts.verdicts.get(Verdict.FAIL, 0) + counts.verdicts.get(Verdict.ERROR, 0)
    return 100 * passed / judged if judged else None


def percent_text(counts: Counts | None, language: str) -> str:
    """Return the percentage rounded down to a tenth (99.97 is not 100), or a dash."""
    value = percent(counts)
    if value is None:
        return NOTHING
    text = f"{math.floor(value * 10 + 1e-9) / 10:.1f}%"
    return text.replace(".", ",") if language == "vi" else text


def total(many: Iterable[Counts | None]) -> Counts:
    """Return the counts of several hosts or chapters, added up; None adds nothing."""
    verdicts: dict[Verdict, int] = {}
    waived = 0
    for counts in many:
        if counts is not None:
            waived += counts.waived
            for verdict, number in counts.verdicts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + number
    return Counts(verdicts, waived)

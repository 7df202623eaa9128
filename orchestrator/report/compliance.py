"""How compliant: one way to count and to say it, for the terminal and for documents."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.model.finding import Severity, Verdict
from orchestrator.model.record import Counts

NOTHING = "—"
SEVEREST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
# Failures of these are grave: somebody has to look at them now.
GRAVE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True)
class Judged:
    """What was judged, each control once: ``failed`` are the failures that no waiver covers."""

    passed: int = 0
    failed: int = 0
    waived: int = 0
    unread: int = 0

    @classmethod
    def of(cls, counts: Counts | None) -> "Judged":
        """Take the counts apart; None holds nothing."""
        if counts is None:
            return cls()
        return cls(
            counts.verdicts.get(Verdict.PASS, 0),
            counts.verdicts.get(Verdict.FAIL, 0) - counts.waived,
            counts.waived,
            counts.verdicts.get(Verdict.ERROR, 0),
        )

    @property
    def total(self) -> int:
        """Return how many controls were judged."""
        return self.passed + self.failed + self.waived + self.unread


def percent(counts: Counts | None) -> float | None:
    """Return pass / (pass + fail + error) in percent; None where nothing was judged.

    What could not be read counts against the host; waived failures stay failures.
    """
    judged = Judged.of(counts)
    return 100 * judged.passed / judged.total if judged.total else None


def percent_text(counts: Counts | None, language: str) -> str:
    """Return the percentage rounded down to a tenth (99.97 is not 100), or a dash."""
    value = percent(counts)
    if value is None:
        return NOTHING
    return _spoken(f"{math.floor(value * 10 + 1e-9) / 10:.1f}%", language)


def change(before: Counts | None, after: Counts | None) -> float | None:
    """Return by how many percentage points it changed; None where one of them is unknown."""
    first, last = percent(before), percent(after)
    return None if first is None or last is None else last - first


def change_text(points: float | None, language: str) -> str:
    """Return a change in percentage points with its sign, or a dash."""
    if points is None:
        return NOTHING
    return _spoken(f"{points:+.1f}".replace("-", "−"), language)


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


def _spoken(number: str, language: str) -> str:
    return number.replace(".", ",") if language == "vi" else number

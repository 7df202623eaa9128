"""Compliance over time: the points of hosts, agencies or chapters, as every view shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.model.record import Counts
from orchestrator.report.compliance import percent

FULL = 100
_TENS = 10


class By(StrEnum):
    """What the lines of a trend stand for."""

    HOST = "host"
    AGENCY = "agency"
    CHAPTER = "chapter"


@dataclass(frozen=True)
class Point:
    """How it stood at the end of a period; ``counts`` is None where no whole audit tells.

    ``hosts`` is how many hosts the counts are of.
    """

    at: datetime
    counts: Counts | None = None
    hosts: int = 0

    @property
    def percent(self) -> float | None:
        """Return the compliance in percent; None where nothing was judged."""
        return percent(self.counts)


@dataclass(frozen=True)
class Line:
    """One host, agency or chapter over time: a point for each period."""

    name: str
    points: tuple[Point, ...]

    @property
    def known(self) -> tuple[Point, ...]:
        """Return the points at which anything was judged, oldest first."""
        return tuple(one for one in self.points if one.percent is not None)


@dataclass(frozen=True)
class Trend:
    """Lines by name, with that of everything; ``edges`` are the limits of the periods."""

    by: By
    edges: tuple[datetime, ...]
    lines: tuple[Line, ...]
    all: Line


def scale_low(lines: Iterable[Line]) -> int:
    """Return where a scale begins: the lowest percentage, down to a multiple of ten."""
    values = [point.percent or 0 for one in lines for point in one.known]
    return min(int(min(values, default=FULL) // _TENS) * _TENS, FULL - _TENS)

"""A trend as a drawing: coordinates for SVG, the y axis downwards. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.report.series import FULL, Line, Point, scale_low

_FEW_LEVELS = 50


@dataclass(frozen=True)
class Frame:
    """A drawing's size and the margins around its lines, in its own units."""

    width: int
    height: int
    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0


LARGE = Frame(660, 166, left=46, right=82, top=22, bottom=26)
SMALL = Frame(120, 30, left=3, right=5, top=4, bottom=4)


@dataclass(frozen=True)
class Axes:
    """What all drawings of a report share: its time, and the lowest percentage that is shown."""

    start: datetime
    end: datetime
    low: int

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Axes | None":
        """Return axes with room for all lines; None where nothing was ever judged."""
        many = list(lines)
        known = [point.at for line in many for point in line.known]
        return cls(min(known), max(known), scale_low(many)) if known else None


@dataclass(frozen=True)
class Dot:
    """Where one point of the trend is drawn, in the frame's units."""

    x: float
    y: float
    point: Point


Pair = tuple[Dot, Dot]


@dataclass(frozen=True)
class Chart:
    """One line of a trend.

    ``dots`` are what was measured. ``line`` joins neighbours, ``gaps`` those between which periods
    without a whole audit lie, ``area`` is what lies below both: texts for SVG's ``d``. ``levels``
    are (y, percent) of the scale.
    """

    frame: Frame
    dots: tuple[Dot, ...]
    line: str
    gaps: str
    area: str
    levels: tuple[tuple[float, int], ...]

    @property
    def floor(self) -> int:
        """Return the y of the lowest level."""
        return self.frame.height - self.frame.bottom

    @property
    def ceiling(self) -> int:
        """Return the y of 100 percent."""
        return self.frame.top

    def marked(self, most: int) -> tuple[Dot, ...]:
        """Return at most so many of the dots, the first and the last among them, evenly spread."""
        last = len(self.dots) - 1
        count = min(most, last + 1)
        if count < 2:  # noqa: PLR2004 - first and last
            return self.dots[:count]
        return tuple(self.dots[round(n * last / (count - 1))] for n in range(count))


def draw(line: Line | None, axes: Axes, frame: Frame) -> Chart | None:
    """Return the drawing of a line, or None where there are no two points to join."""
    if line is None or len(line.known) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    start, end, low = axes.start, axes.end, axes.low
    across = frame.width - frame.left - frame.right
    down = frame.height - frame.top - frame.bottom

    def height(percent: float) -> float:
        return frame.top + down * (FULL - percent) / (FULL - low)

    dots = tuple(
        Dot(frame.left + across * _share(point.at, start, end), height(point.percent or 0), point)
        for point in line.known
    )
    near, far = _neighbours(dots, line)
    step = 10 if FULL - low <= _FEW_LEVELS else 20
    floor = frame.height - frame.bottom
    return Chart(
        frame=frame,
        dots=dots,
        line=" ".join(map(_path, near)),
        gaps=" ".join(map(_path, far)),
        area=f"{_path(dots)} L{dots[-1].x:.1f} {floor} L{dots[0].x:.1f} {floor} Z",
        levels=tuple((height(percent), percent) for percent in range(FULL, low - 1, -step)),
    )


def _share(moment: datetime, start: datetime, end: datetime) -> float:
    span = end - start
    return (moment - start) / span if span > timedelta() else 1.0


def _path(dots: Iterable[Dot]) -> str:
    return "M" + " L".join(f"{dot.x:.1f} {dot.y:.1f}" for dot in dots)


def _neighbours(dots: Sequence[Dot], line: Line) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of dots one period apart, and those further apart."""
    places = {point.at: number for number, point in enumerate(line.points)}
    near: list[Pair] = []
    far: list[Pair] = []
    for pair in pairwise(dots):
        apart = places[pair[1].point.at] - places[pair[0].point.at]
        (near if apart == 1 else far).append(pair)
    return near, far

"""Workloads on few and on many hosts, in turn; what one more host costs is the slope between."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.cpu import Cost, Meter
from bench.ground import say

FEW, MANY = 10, 40
# What a login leaves the host to do when it is over (seconds).
_SETTLE = 0.7

Workload = Callable[[int], object]
Costs = Mapping[tuple[str, int], Sequence[Cost]]
Middle = Callable[[Sequence[float]], float]


def measure(meter: Meter, workloads: Mapping[str, Workload], rounds: int) -> Costs:
    """Return what each (workload, hosts) cost, one of each in every round, in turn.

    The first workload is the floor. A host starts its user manager for the first login after ten
    seconds without one, which costs as much as the login: before each measurement, every host is
    logged in to once. A first round that warms everything up is not in the answer.
    """
    floor = next(iter(workloads.values()))
    costs: dict[tuple[str, int], list[Cost]] = {}
    for number in range(rounds + 1):
        for count in (FEW, MANY):
            for name, work in workloads.items():
                floor(count)
                time.sleep(_SETTLE)
                gc.collect()
                before = meter.read()
                work(count)
                cost = meter.read() - before
                if number:
                    costs.setdefault((name, count), []).append(cost)
    return costs


def tell(costs: Costs) -> None:
    """Print times and slopes, each beside the floor's."""
    names = list(dict.fromkeys(name for name, _count in costs))
    rounds = len(costs[names[0], FEW])
    kinds: tuple[tuple[str, Middle], ...] = (("medians", median), ("smallest", min))
    for label, middle in kinds:
        say(
            f"\n{label} of {rounds} interleaved rounds; seconds, and milliseconds for one more host"
        )
        hosts = f"{FEW:>3} hosts {MANY:>4} hosts"
        say(f"{'':34}{hosts}  slope  floor ×   processors: ours  hosts'  floor ×")
        floor = _slope(costs, names[0], middle)
        for name in names:
            few, many = (middle([c.clock for c in costs[name, n]]) for n in (FEW, MANY))
            slope = _slope(costs, name, middle)
            busy = (slope.controller + slope.hosts) / (floor.controller + floor.hosts)
            say(
                f"{name:34}{few:9.3f} {many:10.3f} {slope.clock * 1000:6.1f} "
                f"{slope.clock / floor.clock:8.2f} {slope.controller * 1000:18.1f} "
                f"{slope.hosts * 1000:7.1f} {busy:8.2f}"
            )


def _slope(costs: Costs, name: str, middle: Middle) -> Cost:
    """Return the seconds for one more host; the middle is taken of each column by itself."""
    few, many = (
        [middle(column) for column in zip(*costs[name, count], strict=True)]
        for count in (FEW, MANY)
    )
    return Cost(*((more - less) / (MANY - FEW) for more, less in zip(many, few, strict=True)))

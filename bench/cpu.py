"""Processor time, which other work on the machine disturbs less than the clock's."""

import os
from typing import NamedTuple

from bench.ground import Ground
from orchestrator.lab import LabError, cgroups
from orchestrator.lab.claims import MACHINE


class Cost(NamedTuple):
    """Seconds: by the clock, of the controller with its processes, of all hosts of the lab."""

    clock: float
    controller: float
    hosts: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Meter:
    """Reads what was spent so far."""

    def __init__(self, ground: Ground) -> None:
        plan = MACHINE.claimed(ground.lab.state_dir)
        if plan is None:
            raise LabError("the lab is down")
        self._usage = cgroups.lab_group(plan.number) / "cpu.stat"

    def read(self) -> Cost:
        """Return the clock and the time spent so far; only differences mean anything."""
        spent = os.times()
        controller = spent.user + spent.system + spent.children_user + spent.children_system
        (usage,) = (
            line for line in self._usage.read_text().splitlines() if line.startswith("usage_usec")
        )
        return Cost(spent.elapsed, controller, int(usage.split()[1]) / 1e6)

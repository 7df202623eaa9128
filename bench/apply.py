"""Measure ``luytre apply`` on ten hosts: the first, the second, and a rollback of one host.

    .venv/bin/python -m bench.apply

It brings up its own lab (name ``bench``, ten bookworm hosts), changes them as an operator would,
in processes of their own, and takes the lab down. The packages come through the lab's own mirror.
Needs root.
"""

import argparse
import time
from collections.abc import Iterable, Sequence

from bench.ground import Ground, ground, say, say_machine
from bench.steps import Step, run_and_read
from orchestrator.model.change import Outcome

HOSTS = 10
_SECOND_TARGET = 6.0
# Steps are told when they end. Between these two ends apt, and nothing else, works on a host.
_APT = (("begin", "packages"), ("wait for confirm", "removals"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.apply",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--again", type=int, default=5, help="second applies (default: 5)")
    parser.add_argument("--name", default="bench", help="the lab's name (default: bench)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    with ground(HOSTS, wanted.name) as here:
        say_machine(1.5, wanted.patience)
        here.luytre("audit")
        _first(here)
        seconds = sorted(_second(here) for _round in range(wanted.again))
        told = f"{seconds[len(seconds) // 2]:.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f})"
        say(f"second apply, {HOSTS} hosts: {told}; target {_SECOND_TARGET} s together")
        started = time.monotonic()
        here.luytre("rollback", "--host", here.names[0], "--yes")
        say(f"rollback of one host: {time.monotonic() - started:.2f} s")


def _first(here: Ground) -> None:
    steps, seconds = run_and_read(here, "apply", "--yes")
    apt = _covered(_intervals(steps, here.names))
    say(f"first apply, {HOSTS} hosts: {seconds:.1f} s")
    say(
        f"    while apt worked on at least one of them: {apt:.1f} s; without: {seconds - apt:.1f} s"
    )
    for host in here.names[:1]:
        at = 0.0
        for step in steps:
            if step.host == host:
                say(f"    {host} {step.name:20}{step.at:8.2f} s (+{step.at - at:.2f})")
                at = step.at


def _second(here: Ground) -> float:
    started = time.monotonic()
    told = here.luytre("apply", "--yes", "--output", "json")
    seconds = time.monotonic() - started
    if told.count(f'"{Outcome.UNCHANGED.value}"') < HOSTS:
        raise RuntimeError("the second apply was no second apply: something was changed")
    return seconds


def _intervals(steps: Sequence[Step], hosts: Sequence[str]) -> list[tuple[float, float]]:
    found = []
    for host in hosts:
        ends = {step.name: step.at for step in steps if step.host == host}
        found += [(ends[a], ends[b]) for a, b in _APT if a in ends and b in ends]
    return found


def _covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Return how long at least one interval was open."""
    total = reached = 0.0
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


if __name__ == "__main__":
    main()

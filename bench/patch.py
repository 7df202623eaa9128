"""Measure what it costs to know which updates wait on twenty hosts.

    .venv/bin/python -m bench.patch

It brings up its own lab (name ``patching``, twenty bookworm hosts with all of Debian's lists).
The floor is measured in the same run: a plain login to each host, and apt's own simulation of an
upgrade over such a login. Needs root.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from bench.floor import Floor
from bench.ground import ground, say, say_machine

HOSTS = 20
_CONCURRENCY = 20
_SIMULATION = "sudo -n apt-get -s -qq upgrade"
_LOGINS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.patch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--name", default="patching", help="the lab's name (default: patching)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    with ground(HOSTS, wanted.name) as here:
        plain = Floor(here, _CONCURRENCY)
        simulating = Floor(here, _CONCURRENCY, _SIMULATION)
        work: dict[str, Callable[[], object]] = {
            "a plain login": lambda: plain.visit(here.names),
            "a login and apt's simulation": lambda: simulating.visit(here.names),
            "luytre patch status": lambda: here.luytre("patch", "status", codes=(0, 3)),
        }
        say_machine(1.5, wanted.patience)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for _round in range(wanted.rounds):
            for name, step in work.items():
                started = time.monotonic()
                step()
                seconds[name].append(time.monotonic() - started)
        login, simulation, ours = (statistics.median(each) for each in seconds.values())
        for name, each in seconds.items():
            median = statistics.median(each)
            say(f"{name}, {HOSTS} hosts (median of {wanted.rounds}): {median:.2f} s")
        target = _LOGINS * login + (simulation - login)
        say(f"target: {_LOGINS} logins and the simulation, {target:.2f} s; {ours / target:.2f} x")


if __name__ == "__main__":
    main()

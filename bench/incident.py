"""Measure what an operator waits for in an incident: the rollback of one host, and of twenty.

    .venv/bin/python -m bench.incident

It brings up its own lab (name ``incident``, twenty bookworm hosts), hardens them without packages,
and takes them back as an operator would, in processes of their own. The floor is measured in the
same run: three plain logins, and the reloads of services that the way back cannot do without. Needs
root.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence

from bench.floor import Floor
from bench.ground import Ground, ground, say, say_machine

HOSTS = 20
_LOGINS = 3
_RATIO, _ONE_TARGET, _ALL_TARGET = 1.2, 3.0, 10.0
# Chapters that change many resources, reload services, and install nothing.
_CHAPTERS = ("ssh", "network", "banners", "permissions", "passwords", "sessions", "cron")
_VERBS = {"reload": "try-reload-or-restart", "restart": "try-restart"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.incident",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of one host (default: 5)")
    parser.add_argument("--name", default="incident", help="the lab's name (default: incident)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    with ground(HOSTS, wanted.name) as here:
        say_machine(1.5, wanted.patience)
        rounds = [_round(here, here.names[:1]) for _round_number in range(wanted.rounds)]
        floors, ours = (statistics.median(each) for each in zip(*rounds, strict=True))
        say(f"floor of one host (median of {wanted.rounds}): {floors:.2f} s")
        say(
            f"rollback of one host: {ours:.2f} s, {ours / floors:.2f} x; "
            f"targets {_RATIO} x, {_ONE_TARGET} s"
        )
        floor, seconds = _round(here, here.names)
        say(f"floor of {HOSTS} hosts: {floor:.2f} s")
        say(f"rollback of {HOSTS} hosts: {seconds:.2f} s; target {_ALL_TARGET} s")


def _round(here: Ground, names: Sequence[str]) -> tuple[float, float]:
    """Harden hosts and take them back; return the floor and what the command took (seconds)."""
    chapters = [word for chapter in _CHAPTERS for word in ("--chapter", chapter)]
    limit = ",".join(names)
    agreed = ("--yes", "--accept-impact", "all", "--canary", "0", "--count", str(len(names)))
    here.luytre("apply", *agreed, "--limit", limit, *chapters, codes=(0, 1, 3))
    floor = Floor(here, concurrency=20)
    started = time.monotonic()
    for _login in range(_LOGINS):
        floor.visit(names)
    logins = time.monotonic() - started
    reloads = max(_reloads(here, name) for name in names[:1])
    started = time.monotonic()
    here.luytre("rollback", "--host", limit, "--yes", "--count", str(len(names)))
    return logins + reloads, time.monotonic() - started


def _reloads(here: Ground, name: str) -> float:
    """Return how long a host takes for the reloads of its newest run (seconds)."""
    places = sorted((here.lab.root(name) / "var/lib/luytre/runs").glob("*/run.json"))
    started = time.monotonic()
    for verb in json.loads(places[-1].read_bytes())["activates"]:
        action, _, unit = verb.partition(" ")
        command = [_VERBS[action], unit] if unit else ["daemon-reload"]
        here.lab.run(name, ["systemctl", *command])
    return time.monotonic() - started


if __name__ == "__main__":
    main()

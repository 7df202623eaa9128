"""Measure ``luytre backup run`` against the same restic, typed by hand on the host.

    .venv/bin/python -m bench.backup

It brings up its own labs (name ``backup``) and takes them down: first a vault and one client with
1 GiB of files, backed up by the command and by hand in turn, each time into a fresh repository and
then unchanged; then a vault and twenty clients at once. The files are in memory before the clock
starts. Needs root.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from types import MappingProxyType

from bench.backup_ground import MIB, Clients, Made, clients
from bench.ground import PROGRAM, say, say_machine
from bench.memory import peaks

_FIRST, _UNCHANGED = "first backup", "unchanged"
_TARGETS = {_FIRST: 1.1, _UNCHANGED: 1.3}
_MEMORY_TARGET = 150
_OURS, _HAND = "luytre backup run", "restic by hand"

Rounds = dict[tuple[str, str], list[Made]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.backup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default: 5)")
    parser.add_argument(
        "--again", type=int, default=3, help="unchanged backups in a round (default: 3)"
    )
    parser.add_argument(
        "--mebibytes", type=int, default=1024, help="files of the one client (default: 1024)"
    )
    parser.add_argument("--hosts", type=int, default=20, help="clients at once (default: 20)")
    parser.add_argument(
        "--each", type=int, default=20, help="MiB of files on each of them (default: 20)"
    )
    parser.add_argument("--name", default="backup", help="the labs' name (default: backup)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    if wanted.mebibytes:
        with clients(1, wanted.mebibytes * MIB, wanted.name) as one:
            say_machine(1.5, wanted.patience)
            _tell(_measured(one, wanted.rounds, wanted.again), one, _TARGETS)
    if wanted.hosts:
        with clients(wanted.hosts, wanted.each * MIB, wanted.name) as many:
            say_machine(1.5, wanted.patience)
            _tell(_measured(many, wanted.rounds, 1), many)
            _tell_memory(many)


def _measured(on: Clients, rounds: int, again: int) -> Rounds:
    """Return what each backup took, by way and by kind; who begins changes with each round."""
    ways: dict[str, Callable[[], Made]] = {_HAND: on.by_hand, _OURS: on.by_command}
    found: Rounds = {}
    for number in range(rounds):
        for way, back_up in list(ways.items())[:: -1 if number % 2 else 1]:
            on.renew()
            for kind in (_FIRST, *[_UNCHANGED] * again):
                made = back_up()
                if (made.added > made.size / 2) != (kind == _FIRST):
                    raise RuntimeError(f"{way}, {kind}: of {made.size} bytes, {made.added} are new")
                found.setdefault((way, kind), []).append(made)
    return found


def _tell(found: Rounds, on: Clients, targets: Mapping[str, float] = MappingProxyType({})) -> None:
    """Print medians, least and most, and the ratios; then what of the command is fixed."""
    size = found[_HAND, _FIRST][0].size / MIB
    say(f"\nclients: {len(on.names)}, together {size:.0f} MiB; seconds: median (least to most)")
    for kind in (_FIRST, _UNCHANGED):
        hand, ours = ([made.seconds for made in found[way, kind]] for way in (_HAND, _OURS))
        on_hosts = median(made.on_hosts for made in found[_OURS, kind])
        fixed = median(made.seconds - made.on_hosts for made in found[_OURS, kind])
        target = f"; target {targets[kind]} x" if kind in targets else ""
        say(f"{kind:14}{_HAND} {_range(hand)}, {_OURS} {_range(ours)}")
        say(f"{'':14}{median(ours) / median(hand):.2f} x by hand{target}")
        say(
            f"{'':14}of it {on_hosts:.2f} on the hosts ({on_hosts / median(hand):.2f} x by hand),"
            f" {fixed:.2f} before and after"
        )
    started = [_seconds(on.newest_run) for _each in found[_HAND, _FIRST]]
    say(f"fixed part of the command: start-up (luytre backup list) {_range(started)}, then login,")
    say("    start of the host's own program, and how late its end is seen: before and after above")


def _tell_memory(many: Clients) -> None:
    """Watch a first and an unchanged backup of all; not while time is measured: it takes some."""
    many.renew()
    for kind in (_FIRST, _UNCHANGED):
        before = many.newest_run()
        command = [PROGRAM, "--workspace", str(many.here.desk), *many.words("run")]
        told = peaks(command)
        if many.newest_run() == before:
            raise RuntimeError("the watched command backed nothing up")
        own, child = told.own * 1024 / 1e6, told.child * 1024 / 1e6
        say(
            f"peak memory, {kind}: {own:.0f} MB, its largest child {child:.0f} MB; together at most"
            f" {own + child:.0f} MB (target {_MEMORY_TARGET})"
        )


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _range(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()

"""Measure ``luytre audit`` against the floor of a login to the same hosts.

    .venv/bin/python -m bench.audit

It brings up its own lab (name ``bench``, 40 bookworm hosts, 1 GiB, a minute), measures on 10 and
on 40 of them, every workload after the other in every round, and takes the lab down. Needs root.
"""

import argparse
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median

from bench import slopes
from bench.cpu import Meter
from bench.floor import Floor
from bench.ground import PROGRAM, Ground, ground, say, say_machine
from bench.memory import peaks
from bench.slopes import FEW, MANY
from orchestrator.cli.main import run
from orchestrator.drift.audit import audit_fleet
from orchestrator.drift.scope import Scope, gather
from orchestrator.model.finding import Reach
from orchestrator.model.selection import Selection
from orchestrator.workspace.directory import load

_FLOOR = "floor: login, sudo, empty python3"
_QUICK = "luytre audit, without walks"
_ASKED = "hosts audited, without store"
_COMMAND = "luytre audit, warm process"
_PROCESS = "luytre audit, fresh process"
_QUICK_TARGET, _SLOPE_TARGET = 2.0, 3.0
_STARTUP_TARGET, _MEMORY_TARGET, _HELP_TARGET = 0.8, 150, 0.2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds (default: 9)")
    parser.add_argument("--name", default="bench", help="the lab's name (default: bench)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    with ground(MANY, wanted.name) as here:
        say_machine(1.5, wanted.patience)
        first = _seconds(lambda: _fresh(here, MANY))
        say(f"first audit of {MANY} hosts (nothing known yet), fresh process: {first:.2f} s")
        slopes.tell(slopes.measure(Meter(here), _workloads(here), wanted.rounds))
        say(
            f"target: at most {_QUICK_TARGET} times the floor's slope without walks over the file "
            f"systems, {_SLOPE_TARGET} with them"
        )
        _tell_startup(here, wanted.rounds)
        _tell_memory(here)


def _workloads(here: Ground) -> dict[str, slopes.Workload]:
    workspace = load(here.desk)
    floor = Floor(here, workspace.settings.concurrency)
    scope = gather(workspace, Selection(here.limit(MANY)))

    def command(count: int, *part: str, desk: Path = here.desk) -> None:
        arguments = ["audit", "--limit", here.limit(count), *part]
        with redirect_stdout(io.StringIO()):
            code = run(["--workspace", str(desk), *arguments])
        if code not in (0, 3):
            raise RuntimeError(f"the audit ended with {code}")

    quick = [word for chapter in _without_walks(scope) for word in ("--chapter", chapter)]
    # In daily use, an audit follows one of the same kind.
    apart = here.beside("quick").desk
    return {
        _FLOOR: lambda count: floor.visit(here.names[:count]),
        _QUICK: lambda count: command(count, *quick, desk=apart),
        _ASKED: lambda count: _ask(scope, count),
        _COMMAND: command,
        _PROCESS: lambda count: _fresh(here, count),
    }


def _without_walks(scope: Scope) -> list[str]:
    """Return the chapters whose controls ask for no walk over the file systems."""
    profile = next(iter(scope.manifests.values())).document
    chapters = {
        each["id"]: scope.baseline.controls[each["id"]].chapter for each in profile["controls"]
    }
    walked = {
        chapters[each["id"]]
        for each in profile["controls"]
        if any(wish.get("kind") == "walk" for wish in each["desired"])
    }
    return sorted(set(chapters.values()) - walked)


def _ask(scope: Scope, count: int) -> None:
    audits = audit_fleet(scope.fleet, scope.hosts[:count], scope.manifests)
    if any(audit.reach is not Reach.ANSWERED for audit in audits):
        raise RuntimeError("a host did not answer")


def _fresh(here: Ground, count: int) -> None:
    here.luytre("audit", "--limit", here.limit(count))


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _tell_startup(here: Ground, rounds: int) -> None:
    workspace = load(here.desk)
    scope = gather(workspace, Selection(here.limit(1)))
    whole, one, shown, phases = [], [], [], []
    for _round in range(rounds):
        whole.append(_seconds(lambda: _fresh(here, 1)))
        one.append(_seconds(lambda: _ask(scope, 1)))
        shown.append(_seconds(lambda: here.luytre("--help")))
        phases.append(_phases(here))
    own = median(whole) - median(one)
    say(f"\nstart-up: {own:.3f} s (target {_STARTUP_TARGET})")
    say(f"    = one host, fresh process {median(whole):.3f}, without the host's {median(one):.3f}")
    for phase in phases[0]:
        say(f"    {phase:36}{median(each[phase] for each in phases):9.3f}")
    say(f"luytre --help: {median(shown):.3f} s (target {_HELP_TARGET})")


def _phases(here: Ground) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.startup"]
    arguments = [str(time.monotonic()), str(here.desk), here.limit(1)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _tell_memory(here: Ground) -> None:
    say(f"\npeak memory (target {_MEMORY_TARGET} MiB for the controller)")
    for count in (FEW, MANY):
        command = [PROGRAM, "--workspace", str(here.desk), "audit", "--limit", here.limit(count)]
        told = peaks(command)
        own, child = told.own / 1024, told.child / 1024
        say(f"    {count} hosts: {own:.0f} MiB; inventory process: {child:.0f} MiB")


if __name__ == "__main__":
    main()

"""Measure a store that holds a year of hourly audits of 300 hosts.

    .venv/bin/python -m bench.store

It fills a store (some minutes), prints its size and how long questions take, and removes it.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from bench.ground import PROGRAM, say, say_machine
from bench.year import Plan, fill
from orchestrator.drift.history import current_drift
from orchestrator.drift.trend import periods, trend
from orchestrator.report.series import By
from orchestrator.store.repository import Store
from orchestrator.workspace.create import create

_SIZE_TARGET, _TIME_TARGET = 2.0, 1.0


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hosts", type=int, default=300, help="hosts (default: 300)")
    parser.add_argument("--days", type=int, default=365, help="days (default: 365)")
    parser.add_argument("--events", type=float, default=6, help="transitions a day (default: 6)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds to wait for a load below 1.5"
    )
    wanted = parser.parse_args()
    plan = Plan(hosts=wanted.hosts, days=wanted.days, events=wanted.events)
    with tempfile.TemporaryDirectory(prefix="luytre-bench-") as place:
        desk = create(Path(place) / "desk", "Bench Operator")
        desk.prepare_state()
        started = time.monotonic()
        fill(desk.store_file, plan)
        seconds = time.monotonic() - started
        say(f"{plan.rows} audits of hosts with {plan.controls} controls: filled in {seconds:.0f} s")
        _tell_size(desk.store_file, plan)
        say_machine(1.5, wanted.patience)
        _tell_times(desk.directory, desk.store_file, plan, wanted.rounds)


def _tell_size(path: Path, plan: Plan) -> None:
    size = path.stat().st_size
    say(f"size: {size / 1e9:.3f} GB (target {_SIZE_TARGET}), {size / plan.rows:.0f} bytes an audit")


def _tell_times(desk: Path, path: Path, plan: Plan, rounds: int) -> None:
    say(f"{'':44}{'median s':>10}   (target {_TIME_TARGET} for drift show)")
    for words in (["drift", "show"], ["status"], ["drift", "history"], ["drift", "trend"]):
        name = f"luytre {' '.join(words)}, fresh process"
        _tell(name, rounds, partial(_command, desk, words))
    with Store.open(path) as store:
        end = plan.start + timedelta(days=plan.days)
        questions: dict[str, Callable[[], object]] = {
            "drift that stands": lambda: current_drift(store),
            "newest attempt at each host": store.last_attempts,
            "every finding": store.findings,
            "trend of a month by chapter": lambda: _trend(store, 30, end),
            "trend of a year by agency": lambda: _trend(store, 365, end, By.AGENCY),
        }
        for name, question in questions.items():
            _tell(name, rounds, question)


def _trend(store: Store, days: int, end: datetime, by: By = By.CHAPTER) -> object:
    edges = periods(end - timedelta(days=days), end)
    return trend(store, by, edges, {})


def _command(desk: Path, words: list[str]) -> None:
    command = [PROGRAM, "--workspace", str(desk), *words]
    done = subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "TZ": "UTC"}
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{words} ended with {done.returncode}: {done.stderr.decode()}")


def _tell(name: str, rounds: int, work: Callable[[], object]) -> None:
    seconds = []
    for _round in range(rounds):
        started = time.monotonic()
        work()
        seconds.append(time.monotonic() - started)
    say(f"{name:44}{median(seconds):10.3f}")


if __name__ == "__main__":
    main()

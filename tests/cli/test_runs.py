"""``luytre runs``: a run is told as what it is, whatever became of its process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import run

WORK = """
import sys
from pathlib import Path
from orchestrator.drift.underway import started
from orchestrator.drift.watch import open_store
from orchestrator.model.record import NewRun, RunKind
from orchestrator.workspace.directory import load
workspace = load(Path(sys.argv[1]))
with open_store(workspace) as store:
    with started(workspace, store, NewRun(RunKind.APPLY, "Trần Thị Bình")) as made:
        print(made.id, flush=True)
        sys.stdin.read()
"""


def statuses(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return how the runs stand, by id."""
    capsys.readouterr()
    assert run(["runs", "list", "--output", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    return {one["run"]: one["status"] for one in listed}


def at_work(workspace: Path) -> "tuple[subprocess.Popen[str], str]":
    """Return a process that works on a run, and the run."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(workspace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_runs_of_processes_that_were_killed_are_interrupted_and_others_go_on(
    new_workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed, first = at_work(new_workspace)
    living, second = at_work(new_workspace)
    processes = [killed, living]
    try:
        assert statuses(capsys) == {first: "running", second: "running"}
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert statuses(capsys) == {first: "interrupted", second: "running"}
        assert run(["runs", "show", first]) == 0
        assert "interrupted" in capsys.readouterr().out
        third, another = at_work(new_workspace)
        processes.append(third)
        assert statuses(capsys) == {first: "interrupted", second: "running", another: "running"}
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    held = new_workspace / ".luytre" / "running"
    assert {file.name for file in held.iterdir()} == {second, another}
    assert set(statuses(capsys).values()) == {"interrupted"}


def test_what_a_killed_process_had_started_does_not_stand_for_it(
    new_workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = WORK.replace(
        "        sys.stdin.read()",
        "        import subprocess\n"
        "        subprocess.Popen(['/bin/sleep', '600'], stdout=subprocess.DEVNULL)\n"
        "        print('started', flush=True)\n"
        "        sys.stdin.read()",
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(new_workspace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        made = process.stdout.readline().strip()
        assert process.stdout.readline() == "started\n"
        process.kill()
        process.wait()
        try:
            assert statuses(capsys) == {made: "interrupted"}
        finally:
            os.killpg(process.pid, signal.SIGKILL)

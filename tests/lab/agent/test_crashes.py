"""The agent may die between any two of its steps: the host is never left without a way back."""

import json
from pathlib import Path

import pytest

from .inside import PLACE, Inside

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

DRIVER = Path(__file__).parent / "crash_driver.py"


@pytest.mark.parametrize(
    ("phase", "stride", "at_least"),
    [
        ("begin", 1, 15),
        ("converge", 2, 20),
        ("expire", 3, 11),
        ("confirm", 1, 12),
        ("power", 2, 8),
        ("undo", 6, 8),
        ("undo-power", 5, 8),
    ],
)
def test_a_death_at_any_step_leaves_a_way_back(g1: Inside, phase: str, stride: int, at_least: int):
    g1.lab.write(g1.name, "/root/t/crash_driver.py", DRIVER.read_bytes())
    argv = ["python3", "/root/t/crash_driver.py", phase, PLACE, str(stride)]
    done = g1.lab.run(g1.name, argv, timeout=1700, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wrong"] == {}
    assert told["deaths"] >= at_least

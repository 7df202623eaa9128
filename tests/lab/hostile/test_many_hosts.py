"""Five hundred hosts at once: memory and descriptors stay under the cap."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from ..change.desk import PROGRAM
from .zoo import GOOD

pytestmark = pytest.mark.lab

HOSTS = 500
_MEMORY_KIB = 250 * 1024
# Three for each of the twenty hosts that are worked with at once, and those of the program itself.
_DESCRIPTORS = 100


def test_fault_22_five_hundred_hosts_fit_into_memory_and_descriptors(zoo):
    zoo.settle(concurrency=20)
    zoo.add(*(f"many{number}" for number in range(HOSTS)))
    peak, most = _watched([PROGRAM, "--workspace", str(zoo.directory), "audit"])
    told = zoo.ask("runs", "list").document["runs"][0]
    assert told["status"] == "done"
    hosts = zoo.ask("runs", "show", told["run"]).document["hosts"]
    assert {one["host"] for one in hosts} == {GOOD, *(f"many{n}" for n in range(HOSTS))}
    assert {one["reach"] for one in hosts} == {"answered"}
    assert 0 < peak < _MEMORY_KIB
    assert 0 < most < _DESCRIPTORS


def _watched(command):
    """Run a command; return its peak of memory in KiB and of open descriptors."""
    peak = most = 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        place = Path(f"/proc/{process.pid}")
        while process.poll() is None:
            with contextlib.suppress(OSError, StopIteration):  # it ended in between
                most = max(most, sum(1 for _descriptor in (place / "fd").iterdir()))
                lines = (place / "status").read_text().splitlines()
                line = next(line for line in lines if line.startswith("VmHWM:"))
                peak = max(peak, int(line.split()[1]))
            time.sleep(0.02)
    return peak, most

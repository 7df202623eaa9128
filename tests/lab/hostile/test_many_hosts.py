"""Five hundred hosts at once: memory and descriptors stay under the cap."""

import pytest

from bench.memory import peaks

from ..change.desk import PROGRAM
from .zoo import GOOD

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

HOSTS = 500
_MEMORY_KIB = 250 * 1024
# Three for each of the twenty hosts that are worked with at once, and those of the program itself.
_DESCRIPTORS = 100


def test_fault_22_five_hundred_hosts_fit_into_memory_and_descriptors(zoo):
    zoo.settle(concurrency=20)
    zoo.add(*(f"many{number}" for number in range(HOSTS)))
    told = peaks([PROGRAM, "--workspace", str(zoo.directory), "audit"])
    run = zoo.ask("runs", "list").document["runs"][0]
    assert run["status"] == "done"
    hosts = zoo.ask("runs", "show", run["run"]).document["hosts"]
    assert {one["host"] for one in hosts} == {GOOD, *(f"many{n}" for n in range(HOSTS))}
    assert {one["reach"] for one in hosts} == {"answered"}
    assert 0 < told.own < _MEMORY_KIB
    assert 0 < told.descriptors < _DESCRIPTORS

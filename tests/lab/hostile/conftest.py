"""One honest host, and one that is hostile in every way under as many names."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.lab import HostSpec, Lab

from .zoo import GOOD, HOSTILE, Zoo, furnish


@pytest.fixture(scope="package")
def den(lab_factory: Callable[[str], Lab]) -> Iterator[Lab]:
    """The running lab."""
    lab = lab_factory("hostile")
    lab.up([HostSpec(GOOD), HostSpec(HOSTILE)])
    furnish(lab)
    yield lab
    lab.down()


@pytest.fixture
def zoo(den: Lab, tmp_path: Path) -> Zoo:
    """A workspace whose inventory has the honest host alone; tests add names of the other one."""
    return Zoo(tmp_path / "desk", den)

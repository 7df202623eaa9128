"""Hosts for the agent's own tests, whole for as long as the session lasts."""

from collections.abc import Callable, Iterator

import pytest

from orchestrator.lab import HostSpec, Lab

from .inside import Inside
from .room import clear, furnish


@pytest.fixture(scope="session")
def ground(lab_factory: Callable[[str], Lab]) -> Lab:
    """The running lab: g1 (bookworm) and g2 (trixie)."""
    lab = lab_factory("agent")
    lab.up([HostSpec("g1"), HostSpec("g2", "trixie")])
    return lab


@pytest.fixture(scope="session")
def g1(ground: Lab) -> Inside:
    """A bookworm host."""
    return Inside(ground, "g1")


@pytest.fixture(scope="session")
def g2(ground: Lab) -> Inside:
    """A trixie host."""
    return Inside(ground, "g2")


@pytest.fixture(params=["g1", "g2"])
def each(request: pytest.FixtureRequest) -> Inside:
    """Each release in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def host(g1: Inside) -> Iterator[Inside]:
    """A bookworm host without a trace of a run; afterwards there is none either."""
    furnish(g1)
    yield g1
    clear(g1)

"""Hosts and workspaces for changes: every test leaves its host as it was, and that is checked."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab
from tests.lab.lists import cut_down, packages
from tests.lab.servers import keep_timers_off

from . import tree
from .desk import Desk
from .stage import Gate, stock

SPECS = {
    "c1": HostSpec("c1"),
    "c2": HostSpec("c2"),
    "t1": HostSpec("t1", "trixie"),
}

# What tests install beside what the baseline names.
OTHERS = ("cron", "libsasl2-2", "locales", "sl")

_FORGET = "cd /var/lib/luytre 2>/dev/null && rm -rf runs/* owned.json origins || true"


class Yard:
    """The lab of these tests, and each host's state when it was fresh."""

    def __init__(self, lab: Lab, scratch: Path) -> None:
        self.lab = lab
        self.scratch = scratch
        self.fresh: dict[str, dict[str, Any]] = {}
        self.add(*SPECS)

    def add(self, *names: str) -> None:
        """Boot hosts anew and remember what they are."""
        self.lab.up([SPECS[name] for name in names])
        for name in names:
            # It writes into what is compared, at midnight.
            keep_timers_off(self.lab, name, "logrotate.timer")
            cut_down(self.lab, name, (*packages(), *OTHERS))
            stock(self.lab, name, self.scratch)
            self.fresh[name] = tree.state(self.lab, name)

    def changes(self, name: str) -> list[str]:
        """Return what is different from the fresh host, and what of ours is left on it."""
        now = tree.state(self.lab, name)
        return [*tree.differences(self.fresh[name], now), *tree.leftovers(self.lab, name)]

    def forget_runs(self) -> None:
        """Let no host know of the runs of earlier tests: others would take them or theirs back.

        A test may mend its host by hand; its runs would go on standing.
        """
        for host in self.lab.hosts():
            self.lab.run(host.name, ["sh", "-c", _FORGET])

    def replace(self, name: str) -> None:
        """Throw a host away and boot a fresh one under its name."""
        self.lab.remove(name)
        self.add(name)


@pytest.fixture(scope="session")
def yard(lab_factory: Callable[[str], Lab], tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """The running lab: c1 and c2 (bookworm), t1 (trixie)."""
    return Yard(lab_factory("change"), tmp_path_factory.mktemp("debs"))


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of temporary files; its path is short, as those of sockets must be."""
    with tempfile.TemporaryDirectory(prefix="rv") as place:
        monkeypatch.setenv("TMPDIR", place)
        yield Path(place)


@pytest.fixture
def desk(yard: Yard, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A workspace over the lab, a host of the test's own included."""
    if "spent" in request.fixturenames:
        request.getfixturevalue("spent")
    return Desk(tmp_path / "desk", yard.lab)


def _untouched(yard: Yard, *names: str) -> Iterator[str]:
    """Yield the first host; afterwards all of them must be as they were when fresh."""
    yard.forget_runs()
    yield names[0]
    for name in names:
        changes = yard.changes(name)
        if changes:
            yard.replace(name)
        assert not changes, f"{name} is not as it was:\n" + "\n".join(changes)


@pytest.fixture
def c1(yard: Yard) -> Iterator[str]:
    """A bookworm host that must be afterwards as it was."""
    yield from _untouched(yard, "c1")


@pytest.fixture
def c2(yard: Yard) -> Iterator[str]:
    """Another bookworm host that must be afterwards as it was."""
    yield from _untouched(yard, "c2")


@pytest.fixture
def t1(yard: Yard) -> Iterator[str]:
    """A trixie host that must be afterwards as it was."""
    yield from _untouched(yard, "t1")


@pytest.fixture
def spent(yard: Yard) -> Iterator[str]:
    """A bookworm host that the test may break: a fresh one takes its place."""
    SPECS["s1"] = HostSpec("s1")
    yard.add("s1")
    yield "s1"
    yard.lab.remove("s1")


@pytest.fixture
def gate(yard: Yard, c1: str) -> Iterator[Gate]:
    """A gate on c1: controls that reload its unit wait until it is opened."""
    made = Gate(yard.lab, c1)
    made.build()
    yield made
    made.clear()

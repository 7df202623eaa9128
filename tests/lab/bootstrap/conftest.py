"""Hosts as installers leave them, one at a time, and an operator's desk before each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab, Trait

from ..change.desk import Desk, Done
from ..change.tree import differences, files, state

# What a bootstrap may change, beyond the places that every change is judged by.
_MORE = ("home", "root", "usr", "var/spool", "var/mail")


class Novice:
    """One host that nobody prepared, in its lab, and the desk of the operator who shall do it."""

    def __init__(self, lab: Lab, name: str, desk: Desk) -> None:
        self.lab = lab
        self.name = name
        self.desk = desk

    def bootstrap(self, *more: str, user: str = "root") -> Done:
        """Bootstrap it with the password that it has."""
        return self.desk.ask("inventory", "bootstrap", *self.words(user), *more)

    def words(self, user: str = "root") -> list[str]:
        place = ("--limit", self.name, "--login-user", user, "--yes")
        return [*place, "--password-file", str(self.lab.password)]

    def told(self, done: Done) -> dict[str, Any]:
        return done.host(self.name)

    def sh(self, script: str) -> str:
        return self.lab.run(self.name, ["sh", "-c", script], timeout=120).stdout.decode()

    def state(self) -> dict[str, Any]:
        """Return everything that must be the same when it was undone."""
        return {**state(self.lab, self.name), "more": files(self.lab, self.name, _MORE)}

    def changed_since(self, before: dict[str, Any]) -> list[str]:
        return differences(before, self.state())


MakeNovice = Callable[..., Novice]


@pytest.fixture(scope="session")
def _novices(lab_factory: Callable[[str], Lab]) -> tuple[Lab, "count[int]"]:
    return lab_factory("novice"), count(1)


@pytest.fixture
def novice(_novices: tuple[Lab, "count[int]"], tmp_path: Path) -> Iterator[MakeNovice]:
    """Return a function from traits to a new host; all are removed after the test."""
    lab, numbers = _novices
    with ExitStack() as gone:

        def make(*traits: Trait, release: str = "bookworm") -> Novice:
            name = f"n{next(numbers)}"
            if Trait.BEHIND_JUMP in traits:
                gone.callback(lab.remove, "jump")
            lab.up([HostSpec(name, release, frozenset(traits))])
            gone.callback(lab.remove, name)
            return Novice(lab, name, Desk(tmp_path / name, lab))

        yield make

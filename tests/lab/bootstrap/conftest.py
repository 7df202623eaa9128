"""Hosts as installers leave them, one at a time, and an operator's desk before each."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab, Trait

from ..change.desk import Desk, Done
from ..change.tree import differences, files, state

# What a bootstrap may change, beyond the places that every change is judged by. What packages put
# elsewhere below usr, dpkg knows.
_PYTHON = ("usr/lib/python3", "usr/lib/python3.11", "usr/lib/python3.13", "usr/share/python3")
_MORE = ("home", "root", "usr/bin", "usr/sbin", "usr/local", "var/mail", "var/spool", *_PYTHON)
_UNIT = "luytre-bootstrap.service"
_FORGETTING_SECONDS = 20


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
        ours = self.sh("ls -d /run/luytre* 2>/dev/null || true").split()
        return {
            **state(self.lab, self.name),
            "more": files(self.lab, self.name, _MORE),
            "run": ours,
        }

    @contextmanager
    def meanwhile(self, script: str) -> Iterator[None]:
        """Let ``script`` run once, when account and key are there and the rule is not yet."""
        self.sh("mv /usr/sbin/visudo /usr/sbin/visudo.true; rm -f /run/meanwhile")
        wrapper = (
            f"[ -e /run/meanwhile ] || {{ touch /run/meanwhile; {script}; }} >/dev/null 2>&1\n"
        )
        text = f'#!/bin/sh\n{wrapper}exec visudo.true "$@"\n'
        self.lab.write(self.name, "/usr/sbin/visudo", text.encode(), 0o755)
        try:
            yield
        finally:
            self.sh("mv /usr/sbin/visudo.true /usr/sbin/visudo")

    def forget(self) -> None:
        """Take away the account, however it came, and its rules."""
        gone = "while id -u ops; do pkill -KILL -u ops; userdel -r ops || sleep 0.2; done"
        self.sh(f"{{ {gone}; }} >/dev/null 2>&1; rm -f /etc/sudoers.d/*ops")

    def changed_since(self, before: dict[str, Any]) -> list[str]:
        """Return what is different; systemd may forget a unit that has ended a moment later."""
        deadline = time.monotonic() + _FORGETTING_SECONDS
        while found := differences(before, self.state()):
            ended = all(_UNIT in each for each in found)
            if not ended or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        return found


MakeNovice = Callable[..., Novice]


@pytest.fixture(scope="session")
def _novices(lab_factory: Callable[[str], Lab]) -> tuple[Lab, "count[int]"]:
    return lab_factory("novice"), count(1)


@contextmanager
def makers(lab: Lab, numbers: "count[int]", home: Path) -> Iterator[MakeNovice]:
    """Yield a function from traits to a new host; all are removed at the end."""
    with ExitStack() as gone:

        def make(*traits: Trait, release: str = "bookworm") -> Novice:
            name = f"n{next(numbers)}"
            if Trait.BEHIND_JUMP in traits:
                gone.callback(lab.remove, "jump")
            lab.up([HostSpec(name, release, frozenset(traits))])
            gone.callback(lab.remove, name)
            return Novice(lab, name, Desk(home / name, lab))

        yield make


@pytest.fixture
def novice(_novices: tuple[Lab, "count[int]"], tmp_path: Path) -> Iterator[MakeNovice]:
    """Return a function from traits to a new host for this test alone."""
    with makers(*_novices, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def plain(
    _novices: tuple[Lab, "count[int]"], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Novice]:
    """A host with a root login, for tests that leave it as it was."""
    with makers(*_novices, tmp_path_factory.mktemp("plain")) as make:
        yield make(Trait.ROOT_LOGIN)


@pytest.fixture(scope="module")
def unprepared(
    _novices: tuple[Lab, "count[int]"], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Novice]:
    """A host with a root login and no Python, for tests that leave it as it was."""
    with makers(*_novices, tmp_path_factory.mktemp("unprepared")) as make:
        yield make(Trait.ROOT_LOGIN, Trait.NO_PYTHON)

"""What a lab remembers: ``lab.json`` in its directory, written whole or not at all."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.lab.errors import LabError
from orchestrator.lab.model import MOST_HOSTS, HostSpec
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint

_MARK = ".luytre-lab"


@dataclass(frozen=True)
class Member:
    """A host that the lab has: what was asked for, its index and its host key's fingerprint."""

    spec: HostSpec
    index: int
    fingerprint: str


@dataclass(frozen=True)
class State:
    """A lab: its network number (None before the first ``up``) and its hosts."""

    number: int | None = None
    members: tuple[Member, ...] = ()

    def member(self, name: str) -> Member:
        """Return the host called ``name``; raise ConfigurationError when there is none."""
        for member in self.members:
            if member.spec.name == name:
                return member
        raise ConfigurationError(
            _("the lab has no host {name}").format(name=ascii(name)),
            hint=known_hint(name, [member.spec.name for member in self.members]),
        )

    def free_index(self) -> int:
        """Return the lowest index that no host has; raise LabError when the lab is full."""
        taken = {member.index for member in self.members}
        for index in range(MOST_HOSTS):
            if index not in taken:
                return index
        raise LabError(
            _("the lab is full; the most hosts that it holds: {count}").format(count=MOST_HOSTS)
        )

    def with_member(self, member: Member) -> "State":
        """Return the state with one more host."""
        return replace(self, members=(*self.members, member))

    def without(self, name: str) -> "State":
        """Return the state without the host called ``name``."""
        left = tuple(member for member in self.members if member.spec.name != name)
        return replace(self, members=left)


def load(path: Path) -> State:
    """Read a state file; a lab that has none is empty. Raises LabError when it is damaged."""
    try:
        raw = json.loads(path.read_text())
        return State(raw["number"], tuple(_member(each) for each in raw["hosts"]))
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            _("the lab's state file is damaged: {path}").format(path=path),
            hint=_("`luytre lab down` removes the lab all the same"),
        ) from error


def save(path: Path, state: State) -> None:
    """Write a state file atomically."""
    hosts = [_row(member) for member in state.members]
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"number": state.number, "hosts": hosts}, indent=1))
    new.replace(path)


def prepare(directory: Path) -> None:
    """Make a lab's directory, or see that it is one.

    ``down`` deletes it whole: a directory with anything else in it is refused
    (ConfigurationError).
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(directory.iterdir()):
        (directory / _MARK).touch()
    require_lab(directory)


def require_lab(directory: Path) -> None:
    """Raise ConfigurationError unless the directory was made by ``prepare``."""
    if not (directory / _MARK).is_file():
        raise ConfigurationError(
            _("{path} is not a lab's directory").format(path=directory),
            hint=_("name a directory that is empty or not there yet"),
        )


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let one process at a time change the lab in ``directory``."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _row(member: Member) -> dict[str, Any]:
    spec = member.spec
    return {
        "name": spec.name,
        "release": spec.release,
        "traits": sorted(spec.traits),
        "agency": spec.agency,
        "level": spec.level,
        "vm": spec.vm,
        "index": member.index,
        "fingerprint": member.fingerprint,
    }


def _member(raw: dict[str, Any]) -> Member:
    spec = HostSpec(
        raw["name"],
        raw["release"],
        frozenset(raw["traits"]),
        raw["agency"],
        raw["level"],
        raw.get("vm", False),
    )
    return Member(spec, raw["index"], raw["fingerprint"])

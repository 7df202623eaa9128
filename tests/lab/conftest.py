"""Real hosts for tests: a small fleet for the whole session, pristine ones for a single test."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import NamedTuple

import paramiko
import pytest

from orchestrator.lab import HostSpec, Lab, LabHost
from orchestrator.lab.commands import missing_tools

MakeLab = Callable[[str], Lab]


# Labs of one directory alone: with its last test they go. Idle hosts cost the others dear.
_OF_DIRECTORY = {
    "controls": ("mutants", "kernel"),
    "protect": ("care", "drill", "rebuild"),
    "intrusion": ("intrusion", "logs"),
    "antivirus": ("antivirus",),
    "patch": ("patch", "newkernel"),
}
_labs: dict[str, Lab] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Take the labs of a directory down behind its last test."""
    result = yield
    here = item.path.parent
    if nextitem is None or nextitem.path.parent != here:
        for name in _OF_DIRECTORY.get(here.name, ()):
            if name in _labs:
                _labs.pop(name).down()
    return result


@pytest.fixture(autouse=True)
def speak_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are compared in one language, unless a test chooses another."""
    monkeypatch.setenv("LUYTRE_LANG", "en")


class FreshHost(NamedTuple):
    """A pristine host and the lab in which it runs."""

    lab: Lab
    host: LabHost


@pytest.fixture(scope="session")
def lab_machine() -> None:
    """Skip where no lab can run; in CI, where one must run, fail."""
    problem = ""
    if os.geteuid() != 0:
        problem = "the lab needs root"
    elif missing := missing_tools():
        problem = f"the lab needs {', '.join(missing)}: run script/setup"
    if problem and os.environ.get("CI", "").lower() == "true":
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)


@pytest.fixture(scope="session")
def lab_factory(
    lab_machine: None,  # noqa: ARG001 - its check comes first
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MakeLab]:
    """Return a function from a name to a new, empty lab; all labs are taken down at the end."""
    base = tmp_path_factory.mktemp("labs")
    with ExitStack() as downs:

        def make(name: str) -> Lab:
            lab = _labs[name] = Lab(base / name, name)
            downs.callback(lab.down)
            return lab

        yield make


@pytest.fixture(scope="session")
def fleet(lab_factory: MakeLab) -> Lab:
    """A running lab: b1 and b2 (bookworm), t1 (trixie). Tests leave them as they found them."""
    lab = lab_factory("fleet")
    lab.up([HostSpec("b1"), HostSpec("b2"), HostSpec("t1", "trixie")])
    return lab


@pytest.fixture(scope="session")
def _spare(lab_factory: MakeLab) -> Iterator[tuple[Lab, Iterator[int]]]:
    return lab_factory("spare"), count(1)


@pytest.fixture
def fresh_host(
    _spare: tuple[Lab, Iterator[int]], request: pytest.FixtureRequest
) -> Iterator[FreshHost]:
    """A host that nobody used; removed afterwards.

    Bookworm, or the release given by ``@pytest.mark.parametrize("fresh_host", [...],
    indirect=True)``.
    """
    lab, numbers = _spare
    name = f"fresh{next(numbers)}"
    lab.up([HostSpec(name, getattr(request, "param", "bookworm"))])
    try:
        yield FreshHost(lab, next(host for host in lab.hosts() if host.name == name))
    finally:
        lab.remove(name)


class _Pinned(paramiko.MissingHostKeyPolicy):
    """Accept exactly the host key whose fingerprint the lab tells."""

    def __init__(self, expected: str) -> None:
        self.expected = expected

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002
        hostname: str,
        key: paramiko.PKey,
    ) -> None:
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        if f"SHA256:{digest}" != self.expected:
            raise paramiko.BadHostKeyException(hostname, key, key)


Login = Callable[..., paramiko.SSHClient]


@pytest.fixture
def login() -> Iterator[Login]:
    """Return a function that logs into a lab's host as ``ops``, over ``sock`` if given."""
    with ExitStack() as sessions:

        def connect(
            lab: Lab, name: str, sock: paramiko.Channel | None = None
        ) -> paramiko.SSHClient:
            host = next(host for host in lab.hosts() if host.name == name)
            fingerprints = dict(
                line.split() for line in Path(lab.fingerprints).read_text().splitlines()
            )
            client = sessions.enter_context(paramiko.SSHClient())
            client.set_missing_host_key_policy(_Pinned(fingerprints[name]))
            client.connect(
                host.address,
                username="ops",
                key_filename=str(lab.key),
                allow_agent=False,
                look_for_keys=False,
                timeout=10,
                sock=sock,
            )
            return client

        yield connect

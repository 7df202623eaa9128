"""Rules for every test."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.scheduler.protocol import Scheduling

from orchestrator.cli.main import run

# A shell starts what runs in the background with Ctrl-C ignored, nohup with SIGHUP, and every
# process inherits that: the commands that tests interrupt would not even see it.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


# Of several workers, none shall be left alone at the end with what takes longest.
_LONGEST_FIRST = (
    "tests/lab/controls/test_every_control.py",
    "tests/lab/protect/",
    "tests/lab/intrusion/",
    "tests/lab/antivirus/",
    "tests/lab/bootstrap/",
    "tests/lab/patch/",
    "tests/lab/test_virtual_machine.py",
    "tests/lab/test_demo.py",
    "tests/lab/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; within a file the order stays."""

    def rank(item: pytest.Item) -> int:
        places = [n for n, place in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(place)]
        return min(places, default=len(_LONGEST_FIRST))

    items.sort(key=rank)


# The hosts of these take minutes to set up: one worker has all tests on them.
_SHARED_HOSTS = ("tests/lab/intrusion", "tests/lab/antivirus", "tests/lab/patch")


class _ByHosts(LoadFileScheduling):
    """Hand out tests by file, and by directory where its files share hosts."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        directory = file.rpartition("/")[0]
        return directory if directory in _SHARED_HOSTS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Distribute tests over workers by the hosts that they need, where they go by file."""
    return _ByHosts(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def new_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a workspace that was just made, with messages in English; return its directory."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--operator", "Trần Thị Bình"]) == 0
    return tmp_path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI, real hosts are there: a test on them that skips itself has proved nothing."""
    report = yield
    if (
        _CI
        and report.skipped
        and item.get_closest_marker("lab")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where real hosts must be tested: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """In CI, no whole file of tests may step aside either."""
    report = yield
    if _CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI as a whole: {report.longrepr}"
    return report

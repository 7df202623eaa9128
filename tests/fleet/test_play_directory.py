"""The private directory of a play: gone whatever happens, and what a killed controller left too."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.fleet.playbooks import private_directory

HOLD = """
import sys, time
from orchestrator.fleet.playbooks import private_directory
with private_directory() as directory:
    (directory / "inventory.yml").write_text("ansible_become_password: secret")
    print(directory, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make temporary files appear in a directory of the test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_the_next_play_removes_what_a_killed_controller_left_and_nothing_else(
    scratch: Path,
) -> None:
    elsewhere = scratch / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    planted = scratch / "luytre-play-planted"
    planted.symlink_to(elsewhere)
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        left = Path(one.stdout.readline().strip())
        with private_directory():
            assert (left / "inventory.yml").exists()
        one.send_signal(signal.SIGKILL)
    assert left.exists()
    with private_directory() as own:
        assert not left.exists()
        assert own.exists()
    assert sorted(place.name for place in scratch.iterdir()) == ["elsewhere", planted.name]
    assert (elsewhere / "file").exists()


def test_sockets_that_vanish_meanwhile_do_not_fail_the_play(scratch: Path) -> None:
    for _round in range(20):
        with private_directory() as directory:
            places = [directory / f"socket{number}" for number in range(200)]
            for place in places:
                place.touch()
            child = os.fork()
            if child == 0:
                for place in places:
                    place.unlink(missing_ok=True)
                os._exit(0)
        os.waitpid(child, 0)
    assert list(scratch.iterdir()) == []


def test_a_process_of_the_play_that_still_writes_leaves_nothing_behind(scratch: Path) -> None:
    ready, tell = os.pipe()
    with private_directory() as directory:
        child = os.fork()
        if child == 0:
            for number in range(20_000):
                if number == 2000:
                    os.write(tell, b"!")
                try:
                    (directory / f"event{number}").touch()
                except FileNotFoundError:
                    break
            os._exit(0)
        os.read(ready, 1)
    os.waitpid(child, 0)
    assert list(scratch.iterdir()) == []

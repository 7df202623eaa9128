"""Sockets of shared SSH connections that lead nowhere any more."""

import socket
from pathlib import Path

import pytest
from ansible.plugins.connection.ssh import Connection

from . import tree
from .desk import APPLY, ended, until
from .stage import Gate
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab

GATED = control("own-gate", content("/etc/own-gate", reload=[Gate.unit]))


def dead_socket(place):
    """Leave a socket on which nobody listens, as a killed process does, and return which it is."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    return made(place)


def made(place):
    """Return which file it is and when it was made: numbers of files are given again."""
    found = place.stat()
    return found.st_ino, found.st_mtime_ns


def lives(place):
    with socket.socket(socket.AF_UNIX) as asking:
        return place.exists() and asking.connect_ex(str(place)) == 0


def test_fault_23_a_dead_socket_where_ansible_connects_is_replaced_by_a_new_connection(
    desk, yard, gate, scratch
):
    c1 = "c1"  # the gate's
    desk.want(BANNER, GATED)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        play = until(lambda: next(scratch.glob("luytre-play-*"), None), "the play's directory")
        sockets = play / "cp"
        sockets.mkdir(mode=0o700)
        place = Path(Connection._create_control_path(c1, None, "ops") % {"directory": sockets})
        dead = dead_socket(place)
        until(lambda: tree.record(yard.lab, c1).get("state") == "armed", "armed")
        assert lives(place)
        assert made(place) != dead
        gate.open()
        applied = ended(applying)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert list(scratch.iterdir()) == []
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_23_a_socket_that_the_operators_environment_names_is_asked_for_nothing(
    desk, c1, scratch, monkeypatch
):
    place = scratch / "own"
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(place))
        hanging.listen()
        hanging.setblocking(False)
        monkeypatch.setenv("ANSIBLE_SSH_CONTROL_PATH", str(place))
        desk.want(BANNER)
        with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
            applied = ended(applying)
        with pytest.raises(BlockingIOError):
            hanging.accept()
    assert applied.code == 0, applied
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0

"""An apply whose controller was killed: nothing goes on here; resume tells what the hosts say."""

import signal
from pathlib import Path

import pytest

from . import tree
from .desk import APPLY, ended, until
from .processes import everyone
from .stage import Gate
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab


@pytest.fixture
def open_gate(yard, c2):
    """A gate on c2 that holds nobody."""
    made = Gate(yard.lab, c2)
    made.build()
    made.open()
    yield made
    made.clear()


def play_of(process):
    """Return the directory of the play of one apply; other tests have plays of their own."""
    for seen in everyone():
        words = seen.arguments.split(b"\0")
        if seen.parent == process.pid and any(word.endswith(b"reaper.py") for word in words):
            return Path(words[-2].decode())
    return None


def workers(directory):
    """Return the processes that work for a play."""
    return [seen for seen in everyone() if str(directory).encode() in seen.arguments]


@pytest.fixture
def killed(desk, yard, gate, c2, request):
    """The run of an apply in waves that was killed while c1 was armed, before it came to c2."""
    request.getfixturevalue("open_gate")
    desk.settle(confirm_window=600)
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    waves = ("--limit", f"c1,{c2}", "--canary", "1")
    with desk.started(*APPLY, *waves, "--output", "json") as applying:
        until(lambda: tree.record(yard.lab, "c1").get("state") == "armed", "armed")
        directory = play_of(applying)
        assert workers(directory)
        applying.send_signal(signal.SIGKILL)
        applying.wait()
    # The gate is still shut: left alone, the play would wait for its task.
    until(lambda: not workers(directory), "the end of the play")
    until(lambda: not directory.exists(), "the end of its directory")
    gate.open()
    return tree.record(yard.lab, "c1")["run"]


def test_fault_18_no_playbook_outlives_its_controller(desk, killed):
    assert desk.ask("rollback", "--yes", "--run", killed).code == 0


def test_fault_18_resume_reports_the_truth_and_brings_the_change_to_its_end(desk, yard, killed):
    before = desk.ask("runs", "show", killed)
    assert {one["host"]: one["outcome"] for one in before.document["hosts"]} == {
        "c1": None,
        "c2": None,
    }
    resumed = desk.ask("runs", "resume", killed, "--yes")
    assert resumed.code == 0, resumed
    ends = {one["host"]: one["outcome"] for one in resumed.document["hosts"]}
    assert ends == {"c1": "confirmed", "c2": "confirmed"}
    settled = {one["host"]: one for one in resumed.document["settled"]}
    assert settled["c1"]["outcome"] == "rolled_back"
    assert settled["c1"]["reason"].endswith(" when its controller was gone")
    assert settled["c2"]["outcome"] == "not_started"
    shown = desk.ask("runs", "show", killed)
    assert shown.document["status"] == "interrupted"
    assert shown.host("c1")["outcome"] == "rolled_back"
    assert shown.host("c1")["reason"].endswith(" when its controller was gone")
    assert shown.host("c2")["outcome"] == "not_started"
    for host in ("c1", "c2"):
        assert yard.lab.read(host, "/etc/issue.net") == b"ours\n"
    assert "apply resumed" in desk.luytre("log", "show").out
    taken = desk.ask("rollback", "--yes", "--run", resumed.document["run"])
    assert taken.code == 0, taken


def test_a_run_that_goes_on_is_not_resumed(desk, yard, gate):
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    with desk.started(*APPLY, "--limit", "c1", "--output", "json") as applying:
        until(lambda: tree.record(yard.lab, "c1").get("state") == "armed", "armed")
        run = tree.record(yard.lab, "c1")["run"]
        refused = desk.ask("runs", "resume", run, "--yes")
        gate.open()
        applied = ended(applying)
    assert refused.code == 6, refused
    assert "is under way" in refused.err
    assert applied.code == 0, applied
    again = desk.ask("runs", "resume", run, "--yes")
    assert again.host("c1")["outcome"] == "unchanged"
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


SLOW_REMOVAL = """\
#!/bin/sh
case "$*" in *"-y remove"*) sleep 6 ;; esac
exec /usr/bin/apt-get.real "$@"
"""


@pytest.fixture
def dropped(desk, yard, c1):
    """The run of an apply that was killed while c1, which cannot be armed, removes a package."""
    apart = "mv /usr/bin/apt-get /usr/bin/apt-get.real; mkdir -p /run/motd.d;"
    apart += " mv /run/motd.d /run/motd.away; touch /run/motd.d"
    yard.lab.run(c1, ["sh", "-ec", apart])
    yard.lab.write(c1, "/usr/bin/apt-get", SLOW_REMOVAL.encode(), 0o755)
    desk.want(BANNER, control("own-tiny", {"package": {"name": "tiny", "state": "installed"}}))
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: tree.record(yard.lab, c1).get("state") == "dropped", "dropped")
        applying.send_signal(signal.SIGKILL)
        applying.wait()
    yard.lab.run(c1, ["sh", "-ec", "rm /run/motd.d; mv /run/motd.away /run/motd.d"])
    yield tree.record(yard.lab, c1)["run"]
    yard.lab.run(c1, ["mv", "/usr/bin/apt-get.real", "/usr/bin/apt-get"])


def test_resume_waits_for_packages_that_are_still_on_their_way_back(desk, yard, c1, dropped):
    resumed = desk.ask("runs", "resume", dropped, "--yes")
    shown = desk.ask("runs", "show", dropped).host(c1)
    assert shown["outcome"] == "rolled_back", shown
    assert shown["reason"] == "it was dropped when its controller was gone"
    assert resumed.code == 0, resumed
    assert desk.ask("rollback", "--yes", "--run", resumed.document["run"]).code == 0
    assert b"tiny" not in yard.lab.run(c1, ["dpkg-query", "-W"]).stdout

"""Nobody takes a change away from whoever makes it, unless by force; an abandoned one goes back."""

import signal

import pytest

from . import tree
from .desk import APPLY, Desk, ended, until
from .stage import Gate
from .wishes import BANNER, GRACE, content, control

pytestmark = pytest.mark.lab


BY_FORCE = ("--yes", "--host", "c1", "--force")


def state(yard, host):
    return tree.record(yard.lab, host).get("state")


def armed(desk, gate: Gate):
    """Return a started apply of c1 that waits at the gate until it is armed."""
    desk.want(BANNER, control("own-gate", content("/etc/own-gate", reload=[gate.unit])))
    return desk.started(*APPLY, "--limit", "c1", "--output", "json")


@pytest.fixture
def other(yard, tmp_path):
    """The desk of another operator."""
    return Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")


def test_fault_12_a_rollback_of_a_change_that_somebody_makes_is_refused_and_names_him(
    desk, yard, gate, other
):
    with armed(desk, gate) as applying:
        until(lambda: state(yard, "c1") == "armed", "armed")
        refused = other.ask("rollback", "--yes", "--host", "c1")
        run = tree.record(yard.lab, "c1")["run"]
        at_the_same_desk = desk.ask("rollback", "--yes", "--run", run)
        gate.open()
        applied = ended(applying)
    for told in (refused, at_the_same_desk):
        assert told.code == 6, told
        reason = told.host("c1")["reason"]
        assert told.host("c1")["outcome"] == "refused"
        assert f"run {run} of Trần Thị Bình from " in reason
        assert "under way since 20" in reason
        assert "--force" in reason
    assert applied.code == 0, applied
    assert applied.host("c1")["outcome"] == "confirmed"
    assert yard.lab.read("c1", "/etc/issue.net") == b"ours\n"
    assert desk.ask("rollback", "--yes", "--run", run).code == 0


def test_a_change_that_somebody_makes_can_be_taken_away_by_force(desk, yard, gate, other):
    with armed(desk, gate) as applying:
        until(lambda: state(yard, "c1") == "armed", "armed")
        with other.started("rollback", *BY_FORCE, "--output", "json") as taking:
            until(lambda: state(yard, "c1") == "rolling_back", "on its way back")
            gate.open()
            taken = ended(taking)
        applied = ended(applying)
    assert taken.code == 0, taken
    assert taken.host("c1")["outcome"] == "rolled_back"
    assert applied.code in (1, 5), applied
    assert state(yard, "c1") == "rolled_back"


def test_fault_18_a_killed_controllers_run_is_told_as_interrupted_and_goes_back_at_its_desk(
    desk, yard, gate, other
):
    desk.settle(confirm_window=600)
    with armed(desk, gate) as applying:
        until(lambda: state(yard, "c1") == "armed", "armed")
        run = tree.record(yard.lab, "c1")["run"]
        while_it_runs = desk.ask("runs", "show", run)
        applying.send_signal(signal.SIGKILL)
        applying.wait()
    gate.open()
    assert while_it_runs.document["status"] == "running"
    shown, listed = desk.ask("runs", "show", run), desk.ask("runs", "list")
    assert shown.document["status"] == "interrupted"
    assert shown.host("c1")["outcome"] is None
    assert [one["status"] for one in listed.document["runs"] if one["run"] == run] == [
        "interrupted"
    ]
    assert "interrupted" in desk.luytre("runs", "list").out

    refused = other.ask("rollback", "--yes", "--host", "c1")
    assert refused.code == 6, refused
    desk.want(GRACE)
    held = desk.luytre(*APPLY, "--limit", "c1")
    assert held.code == 6, held
    assert f"next: luytre rollback --run {run}" in held.out
    taken = desk.ask("rollback", "--yes", "--run", run)
    assert taken.code == 0, taken
    assert not (yard.lab.root("c1") / "etc/own-gate").exists()
    again = desk.apply("c1")
    assert again.code == 0, again
    assert desk.ask("rollback", "--yes", "--host", "c1").code == 0

"""What is wanted no more goes back to what was before it, and nothing else does."""

import json

import pytest

from . import tree
from .desk import APPLY, Desk
from .wishes import BANNER, GRACE, MARTIANS, content, control

pytestmark = pytest.mark.lab

AGE = control("own-age", {"login_defs": {"PASS_MAX_DAYS": {"at_least": 1, "at_most": 90}}})
WARN = control("own-warn", {"login_defs": {"PASS_WARN_AGE": {"at_least": 9}}})
DEFS = "/etc/login.defs"
DROP_IN = "/etc/ssh/sshd_config.d/00-luytre-own-grace.conf"


def owned(yard, host):
    """Return the controls that own something on a host, by the host's own record."""
    place = yard.lab.root(host) / "var/lib/luytre/owned.json"
    return sorted(json.loads(place.read_bytes())["controls"]) if place.exists() else []


def grace(yard, host):
    told = yard.lab.run(host, ["sshd", "-T"]).stdout.decode()
    return next(line for line in told.splitlines() if line.startswith("logingracetime"))


def test_controls_that_left_the_profile_are_taken_out_by_the_next_apply(desk, yard, c1):
    desk.want(BANNER, GRACE, MARTIANS)
    assert desk.apply(c1).code == 0
    desk.want(BANNER)
    planned = desk.ask("plan", "--limit", c1)
    assert planned.code == 3, planned
    changes = planned.host(c1)["changes"]
    assert [(each["control"], each["prunes"]) for each in changes] == [
        ("own-grace", True),
        ("own-martians", True),
    ]
    assert "-LoginGraceTime 45" in changes[0]["diff"]
    assert "own-grace is taken out" in desk.luytre("plan", "--limit", c1).out
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert grace(yard, c1) == "logingracetime 120"
    assert owned(yard, c1) == ["own-banner"]
    changed = yard.changes(c1)
    assert len(changed) == 1, changed
    assert "etc/issue.net" in changed[0]
    assert desk.ask("plan", "--limit", c1).code == 0
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []
    assert owned(yard, c1) == []


def test_a_part_of_the_baseline_takes_nothing_out(desk, yard, c1):
    desk.want(BANNER, GRACE)
    assert desk.apply(c1).code == 0
    desk.want(BANNER)
    assert desk.ask("plan", "--limit", c1, "--control", "own-banner").code == 0
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_one_control_is_taken_out_and_comes_again_with_the_next_apply(desk, yard, c1):
    desk.want(BANNER, GRACE)
    assert desk.apply(c1).code == 0
    taken = desk.luytre("rollback", "--yes", "--control", "own-grace", "--limit", c1)
    assert taken.code == 0, taken
    assert "own-grace is taken out" in taken.out
    assert "the next apply sets it again" in taken.err
    assert grace(yard, c1) == "logingracetime 120"
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    shown = desk.ask("drift", "show").out
    assert "own-grace" in shown
    assert [each["control"] for each in desk.ask("plan", "--limit", c1).host(c1)["changes"]] == [
        "own-grace"
    ]
    assert desk.apply(c1).code == 0
    assert grace(yard, c1) == "logingracetime 45"
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_of_a_file_that_two_controls_change_one_part_goes_back(desk, yard, c1):
    desk.want(WARN)
    assert desk.apply(c1).code == 0
    alone = yard.lab.read(c1, DEFS)
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []

    desk.want(AGE)
    assert desk.apply(c1).code == 0
    desk.want(AGE, WARN)
    assert desk.apply(c1).code == 0
    both = yard.lab.read(c1, DEFS)
    desk.want(WARN)
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert yard.lab.read(c1, DEFS) == alone != both
    assert owned(yard, c1) == ["own-warn"]
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_what_somebody_changed_since_is_left_to_people_unless_forced(desk, yard, c1):
    desk.want(GRACE)
    assert desk.apply(c1).code == 0
    yard.lab.run(c1, ["sh", "-c", f"echo '# by hand' >> {DROP_IN}"])
    desk.want()
    planned = desk.ask("plan", "--limit", c1)
    assert planned.code == 3, planned
    assert planned.host(c1)["changes"] == []
    assert f"path:{DROP_IN}" in planned.host(c1)["by_hand"]["own-grace"]
    assert desk.ask("rollback", "--yes", "--control", "own-grace", "--limit", c1).code == 3
    assert b"by hand" in yard.lab.read(c1, DROP_IN)
    taken = desk.ask("rollback", "--yes", "--force", "--control", "own-grace", "--limit", c1)
    assert taken.code == 0, taken
    assert yard.changes(c1) == []


def test_what_somebody_changed_between_two_runs_is_not_lost(desk, yard, c1):
    desk.want(AGE)
    assert desk.apply(c1).code == 0
    yard.lab.run(c1, ["sh", "-c", f"echo '# by hand' >> {DEFS}"])
    desk.want(AGE, WARN)
    assert desk.apply(c1).code == 0
    desk.want(WARN)
    planned = desk.ask("plan", "--limit", c1).host(c1)
    assert planned["changes"] == []
    assert DEFS in planned["by_hand"]["own-age"]
    desk.want()
    for name in ("own-age", "own-warn"):
        forced = ("rollback", "--yes", "--force", "--control", name, "--limit", c1)
        assert desk.ask(*forced).code == 0
    assert yard.changes(c1) == []


def test_a_taking_out_that_nobody_can_confirm_goes_back_itself(desk, yard, c1):
    desk.want(BANNER)
    assert desk.apply(c1).code == 0
    desk.settle(confirm_window=10)
    desk.declare(c1, luytre_health=[{"command": "grep -qx ours /etc/issue.net"}])
    desk.want()
    applied = desk.apply(c1)
    assert applied.code == 5, applied
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert owned(yard, c1) == ["own-banner"]
    desk.settle(confirm_window=30)
    desk.declare(c1, luytre_health=[])
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_a_taking_out_is_taken_back_like_every_run(desk, yard, c1):
    desk.want(BANNER, GRACE)
    assert desk.apply(c1).code == 0
    desk.want(BANNER)
    out = desk.apply(c1)
    assert out.code == 0, out
    assert desk.ask("rollback", "--yes", "--run", out.document["run"]).code == 0
    assert grace(yard, c1) == "logingracetime 45"
    assert owned(yard, c1) == ["own-banner", "own-grace"]
    assert desk.apply(c1).code == 0
    assert grace(yard, c1) == "logingracetime 120"
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_a_run_that_was_taken_back_leaves_nothing_owned(desk, yard, c1):
    desk.want(BANNER, AGE)
    applied = desk.apply(c1)
    assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0
    assert owned(yard, c1) == []
    desk.want()
    assert desk.ask("plan", "--limit", c1).code == 0
    assert yard.changes(c1) == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("--control", "../x"),
        ("--control", "own-banner", "--host", "c1"),
        ("--host", "c1", "--batch", "1"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk, wrong):
    desk.want(BANNER)
    assert desk.luytre("rollback", "--yes", *wrong).code == 2


def test_what_a_control_came_to_own_since_the_plan_is_not_taken_out_unseen(
    desk, yard, c1, tmp_path
):
    desk.want(BANNER)
    assert desk.apply(c1).code == 0
    desk.want()
    file = str(desk.directory / "plan.json")
    assert desk.ask("plan", "--limit", c1, "--save", file).code == 3
    other = Desk(tmp_path / "other", yard.lab, "Lê Văn Cường")
    other.want(control("own-banner", content("/etc/issue.net"), content("/etc/own-more")))
    assert other.apply(c1).code == 0
    refused = desk.ask(*APPLY, "--plan", file)
    assert "changed since the plan: path:/etc/own-more" in refused.host(c1)["reason"], refused
    assert refused.code == 6, refused
    assert yard.lab.read(c1, "/etc/own-more") == b"ours\n"
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []


def test_a_control_that_owns_nothing_is_said_to(desk, yard, c1):
    desk.want(BANNER)
    taken = desk.ask("rollback", "--yes", "--control", "own-banner", "--limit", c1)
    assert taken.code == 3, taken
    told = desk.luytre("rollback", "--yes", "--control", "own-banner", "--limit", c1)
    assert "nothing on this host is its own" in told.out
    assert yard.changes(c1) == []


def age_runs(yard, host, days):
    """Let a host's runs have ended so many days earlier."""
    for place in (yard.lab.root(host) / "var/lib/luytre/runs").glob("*/run.json"):
        record = json.loads(place.read_bytes())
        for name in ("since", "confirmed"):
            if name in record:
                record[name] -= days * 86400
        place.write_text(json.dumps(record))


def test_journals_are_private_and_discarded_after_the_stated_days(desk, yard, c1):
    desk.settle(journal_days=30)
    secret = control("own-secret", content("/etc/own-secret", "s3cr3t\n", mode="0600"))
    desk.want(secret, AGE)
    first = desk.apply(c1)
    assert first.code == 0, first
    state = yard.lab.root(c1) / "var/lib/luytre"
    for place in (state, *state.rglob("*")):
        found = place.lstat()
        assert (found.st_uid, found.st_mode & 0o077) == (0, 0), place
    age_runs(yard, c1, 29)
    desk.want(secret, AGE, GRACE)
    assert desk.apply(c1).code == 0
    assert (state / "runs" / first.document["run"] / "journal.json").exists()
    age_runs(yard, c1, 2)
    desk.want(secret, AGE, GRACE, BANNER)
    assert desk.apply(c1).code == 0
    kept = {place.name for place in (state / "runs" / first.document["run"]).iterdir()}
    assert kept == {"run.json", "state.lock", "revert.lock"}
    refused = desk.ask("rollback", "--yes", "--run", first.document["run"])
    assert refused.code == 6, refused
    assert "was discarded" in refused.host(c1)["reason"]
    desk.want()
    assert desk.apply(c1).code == 0
    assert yard.changes(c1) == []
    assert tree.record(yard.lab, c1, first.document["run"])["state"] == "confirmed"

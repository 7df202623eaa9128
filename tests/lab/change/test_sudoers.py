"""Rules of sudo that sudo would not understand: they never come into force."""

import pytest

from .desk import APPLY, ended, until
from .stage import let_go, setting_up
from .wishes import BANNER, content, control

pytestmark = pytest.mark.lab

ASKS = control("own-asks", {"sudo_defaults": {"timestamp_timeout": 5}})
HELD = control("own-held", {"package": {"name": "tiny-held", "state": "installed"}})
_RULES = "/etc/sudoers.d"
BROKEN = b"ops ALL=(ALL NOPASSWD: ALL\n"


def rules(yard, host):
    """Return every file that sudo reads, with its content."""
    places = [yard.lab.root(host) / "etc/sudoers", *(yard.lab.root(host) / _RULES[1:]).iterdir()]
    return {place.name: place.read_bytes() for place in places}


@pytest.mark.parametrize(
    "wish",
    [
        {"sudo_defaults": {"logfile": '/var/log/own".log'}},
        content(f"{_RULES}/own", BROKEN.decode()),
        content("/etc/sudoers", BROKEN.decode()),
    ],
    ids=["a value that breaks its line", "a file of rules", "the main file"],
)
def test_fault_11_rules_that_visudo_refuses_never_become_active(desk, yard, c1, wish):
    before = rules(yard, c1)
    desk.want(BANNER, control("own-rules", wish, risk="lockout"))
    applied = desk.luytre(*APPLY, "--limit", c1)
    assert applied.code == 1, applied
    told = " ".join((applied.out + applied.err).split())
    assert "own-rules: visudo refuses" in told
    assert "syntax error" in told
    assert rules(yard, c1) == before
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_rules_that_visudo_accepts_come_into_force_from_a_file_too(desk, yard, c1):
    desk.want(control("own-rules", content(f"{_RULES}/own", "Defaults passwd_tries=2\n")))
    applied = desk.apply(c1)
    assert applied.code == 0, applied
    assert b"enter a password: 2" in yard.lab.run(c1, ["sudo", "-V"]).stdout
    assert rules(yard, c1)["own"] == b"Defaults passwd_tries=2\n"
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_11_where_others_broke_the_rules_ours_are_not_added_and_the_place_is_told(
    desk, yard, c1
):
    yard.lab.write(c1, f"{_RULES}/theirs", BROKEN, 0o440)
    try:
        before = rules(yard, c1)
        desk.want(BANNER, ASKS)
        applied = desk.apply(c1)
        assert rules(yard, c1) == before
    finally:
        yard.lab.run(c1, ["rm", f"{_RULES}/theirs"])
    assert applied.code == 1, applied
    assert f"own-asks: sudoers: {_RULES}/theirs:1" in applied.host(c1)["reason"]
    assert applied.host(c1)["changed"] == ["own-banner"]
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0


def test_fault_11_rules_that_others_break_after_the_plan_stop_the_change_before_it_begins(
    desk, yard, c1
):
    desk.want(BANNER, ASKS, HELD)
    with desk.started(*APPLY, "--limit", c1, "--output", "json") as applying:
        until(lambda: setting_up(yard.lab, c1, "tiny-held"), "dpkg works")
        yard.lab.write(c1, f"{_RULES}/theirs", BROKEN, 0o440)
        let_go(yard.lab, c1)
        applied = ended(applying)
    yard.lab.run(c1, ["rm", f"{_RULES}/theirs"])
    assert applied.code in (1, 5), applied
    assert f"{_RULES}/theirs:1" in applied.host(c1)["reason"]
    assert yard.changes(c1) == []

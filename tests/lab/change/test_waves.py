"""Waves: canaries first, and the fleet is left alone when they fail."""

import pytest

from .desk import APPLY
from .wishes import BANNER, TRAP

pytestmark = pytest.mark.lab


def outcomes(done):
    return {one["host"]: one["outcome"] for one in done.document["hosts"]}


def tables(yard, host):
    return yard.lab.run(host, ["nft", "list", "tables"]).stdout.decode()


def test_fault_14_a_canary_fails_and_the_fleet_is_left_alone(desk, c1, c2):
    desk.settle(confirm_window=10)
    desk.want(TRAP)
    applied = desk.apply(c1, c2, canary="1")
    assert applied.code == 5, applied
    assert outcomes(applied) == {c1: "rolled_back", c2: "not_started"}
    assert applied.host(c2)["reason"] == f"too many failed before: {c1}"
    shown = desk.ask("runs", "show", applied.document["run"])
    assert {one["host"]: one["outcome"] for one in shown.document["hosts"]} == outcomes(applied)
    # What was never begun is not taken back.
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert [one["host"] for one in taken.document["hosts"]] == [c1]


def test_a_canary_that_holds_lets_the_others_follow(desk, c1, c2):
    desk.want(BANNER)
    applied = desk.apply(c1, c2, canary="1")
    assert applied.code == 0, applied
    assert outcomes(applied) == {c1: "confirmed", c2: "confirmed"}
    again = desk.apply(c1, c2, canary="1")
    assert outcomes(again) == {c1: "unchanged", c2: "unchanged"}
    assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_the_audit_after_a_change_does_not_pass_for_one_of_all_hosts(desk, c1, c2, t1):
    desk.want(BANNER)
    first = desk.apply(c1)
    everybody = desk.ask("audit")
    assert len(everybody.document["hosts"]) == 3
    rest = desk.ask(*APPLY)
    assert outcomes(rest) == {c1: "unchanged", c2: "confirmed", t1: "confirmed"}
    assert desk.ask("status").document["hosts"] == 3
    for applied in (rest, first):
        assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_as_many_failures_as_were_allowed_stop_nothing(desk, c1, c2):
    desk.settle(confirm_window=10)
    desk.want(TRAP)
    applied = desk.apply(c1, c2, batch="1", **{"max-fail": "1"})
    assert outcomes(applied) == {c1: "rolled_back", c2: "rolled_back"}


@pytest.mark.parametrize(("then", "first"), [("stop", "confirmed"), ("rollback", "rolled_back")])
def test_confirmed_hosts_stay_or_go_back_when_too_many_failed(desk, yard, c1, c2, then, first):
    desk.settle(confirm_window=20)
    desk.declare(luytre_admin_sources=["10.213.0.0/16"], luytre_services=[])
    desk.declare(c2, luytre_admin_sources=["198.51.100.0/24"])
    desk.want(also=("firewall-default-drop",))
    applied = desk.apply(c1, c2, batch="1", **{"on-failure": then})
    assert applied.code == 5, applied
    assert outcomes(applied) == {c1: first, c2: "rolled_back"}
    assert ("luytre" in tables(yard, c1)) is (first == "confirmed")
    if first == "confirmed":
        assert desk.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0
    else:
        assert applied.host(c1)["reason"] == f"taken back: too many failed before: {c2}"

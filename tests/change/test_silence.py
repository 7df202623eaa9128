"""A play is not given up while its hosts may still wait for their confirmation."""

from pathlib import Path

import pytest

from orchestrator.change.apply import CONVERGE_SECONDS, silence_of
from orchestrator.change.order import Order
from orchestrator.change.own_roles import Own
from orchestrator.fleet.own_play import OwnPlaces
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.finding import Risk
from orchestrator.workspace.own_roles import NONE

BANNER = Change("banner", Risk.NONE, ())
TELNET = Change("telnet", Risk.SERVICE, (), remove=("telnetd",))
PLANS = {"web1": HostPlan("web1", "", (BANNER,)), "old": HostPlan("old", "", (BANNER, TELNET))}


def order(window: int, *, updates: bool = False) -> Order:
    here = Path("/nowhere")
    return Order(
        run="r",
        operator="Trần Thị Bình",
        window=window,
        journal_days=1,
        witness="",
        digest_key=b"",
        playbook=here,
        pins_file=here,
        plans=PLANS,
        manifests={},
        own=Own(NONE, OwnPlaces(here, here, here)),
        updates=updates,
    )


@pytest.mark.parametrize("window", [10, 900, 3600])
def test_hosts_that_remove_packages_may_wait_as_long_as_their_window(window: int) -> None:
    assert silence_of(order(window), ["web1", "old"]) > window + CONVERGE_SECONDS


def test_where_nobody_waits_the_ordinary_limit_counts() -> None:
    assert silence_of(order(3600), ["web1"]) == 0


def test_hosts_that_install_updates_say_nothing_for_long() -> None:
    assert silence_of(order(10, updates=True), ["web1"]) >= 3600

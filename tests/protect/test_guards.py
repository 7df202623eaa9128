"""Which snapshots keep retention from forgetting anything: pure rules."""

from typing import Any

import pytest

from orchestrator.protect.on_host import guards
from orchestrator.protect.on_host.guards import Snapshot

DAY = 86400.0
NOW = 1_800_000_000.0


def snapshot(name: str, days_ago: float, ahead: float = 0, paths: tuple[str, ...] = ("/",)) -> Any:
    arrived = NOW - days_ago * DAY
    told = {"id": name, "arrived": arrived, "time": arrived + ahead, "host": "h", "paths": paths}
    return Snapshot(told)


def suspects(
    snapshots: list[Snapshot],
    sizes: dict[str, int] | None = None,
    accepted: Any = (),
    **policy: Any,
) -> dict[str, str]:
    sizes = sizes or {each.id: 100 for each in snapshots}
    found = guards.suspects(snapshots, sizes, set(accepted), guards.policy(policy))
    return {each: why["kind"] for each, why in found.items()}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("1970-01-02T00:00:00Z", DAY),
        ("1970-01-02T00:00:00.5Z", DAY + 0.5),
        ("1970-01-02T07:00:00.123456789+07:00", DAY + 0.123456789),
        ("1970-01-01T20:30:00-03:30", DAY),
    ],
)
def test_a_time_of_restics_is_read_whatever_its_zone(told: str, expected: float) -> None:
    assert guards.seconds(told) == pytest.approx(expected)


@pytest.mark.parametrize("told", ["", "yesterday", "1970-01-02", "1970-13-02T00:00:00Z"])
def test_what_is_no_time_is_refused(told: str) -> None:
    with pytest.raises(ValueError):
        guards.seconds(told)


def test_snapshots_of_every_night_are_not_suspected() -> None:
    assert suspects([snapshot(str(day), day, ahead=-3600) for day in range(200)]) == {}


@pytest.mark.parametrize(
    ("ahead", "odd"), [(14 * 60, False), (16 * 60, True), (-47 * 3600, False), (-49 * 3600, True)]
)
def test_a_date_may_differ_by_so_much_from_when_it_came(ahead: float, odd: bool) -> None:
    assert bool(suspects([snapshot("a", 3, ahead)])) is odd


def test_a_flood_is_one_of_any_day_and_of_one_host_and_its_paths() -> None:
    spread = [snapshot(str(number), number * 0.3) for number in range(20)]
    assert suspects(spread, flood=4) == {}
    dense = [snapshot(f"d{number}", 90 + number * 0.1) for number in range(5)]
    assert suspects([*spread, *dense], flood=4) == {"d0": "flood"}
    others = [snapshot(f"{n}", n * 0.1, paths=(str(n),)) for n in range(20)]
    assert suspects(others, flood=4) == {}


def test_the_newest_may_shrink_by_so_much() -> None:
    four = [snapshot(name, days) for name, days in (("a", 4), ("b", 3), ("c", 2), ("d", 1))]
    sizes = {"a": 100, "b": 1, "c": 100, "d": 50}
    assert suspects(four, sizes) == {}
    assert suspects(four, {**sizes, "d": 49}) == {"d": "shrunk"}


def test_what_was_accepted_is_the_measure_from_then_on() -> None:
    three = [snapshot(name, days) for name, days in (("a", 3), ("b", 2), ("c", 1))]
    sizes = {"a": 100, "b": 10, "c": 9}
    assert suspects(three, sizes) == {"c": "shrunk"}
    assert suspects(three, sizes, accepted=["b"]) == {}
    assert guards.measured(three, {"b"}) == {"b", "c"}


def test_only_the_latest_are_measured() -> None:
    assert len(guards.measured([snapshot(str(day), day) for day in range(200)], set())) == 11


@pytest.mark.parametrize(
    "declared", [{"keep_daily": 7}, {"keep_within": "--prune"}, {"keep_within": "7"}]
)
def test_a_policy_that_is_not_ours_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no retention"):
        guards.policy(declared)

"""Drills in the store: every verdict, the newest first, those that prove nothing told apart."""

from datetime import UTC, datetime, timedelta

from orchestrator.model.drill import Drill, DrillState, LoadedDatabase

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def drill(host: str, days_ago: int, state: DrillState = DrillState.PASSED) -> Drill:
    return Drill(
        host=host,
        run=f"2026113{days_ago}T020000Z-000001-0",
        scratch="scratch1",
        state=state,
        started=NOW - timedelta(days=days_ago),
        backup="20261129T233009Z-311387",
        whole=state is not DrillState.FAILED,
        rpo=3600.5,
        rto=75.25,
        files=3,
        size=10**12,
        databases=(LoadedDatabase("postgresql/shop", 2, 1000, "15.9"),),
        answered=("nginx.service",),
        problems=() if state is DrillState.PASSED else (("files", "đã khác"),),
    )


def test_a_drill_comes_back_as_it_was_kept(store):
    made = [drill("web1", 0), drill("web2", 0, DrillState.FAILED)]
    for one in made:
        store.save_drill(one)
    assert list(store.drills()) == made
    assert store.drills(["web2"]) == (made[1],)


def test_the_newest_comes_first_and_what_proves_nothing_can_be_left_out(store):
    old, new = drill("web1", 5), drill("web1", 3)
    undone = drill("web1", 1, DrillState.UNDONE)
    for one in (new, undone, old):
        store.save_drill(one)
    assert store.drills(each=3) == (undone, new, old)
    assert store.drills() == (undone,)
    assert store.drills(proving=True) == (new,)

"""Which hosts are changed together, and when a change stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.change.course import too_many_failed
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.waves import MANY, Waves


@pytest.mark.parametrize(
    ("waves", "sizes"),
    [
        (Waves(), [5]),
        (Waves(canaries=1), [1, 4]),
        (Waves(canaries=2, batch=2), [2, 2, 1]),
        (Waves(batch=3), [3, 2]),
        (Waves(canaries=9), [5]),
    ],
)
def test_canaries_come_first_and_the_others_in_batches(waves, sizes):
    assert [len(wave) for wave in waves.split(range(5))] == sizes


def test_many_hosts_begin_with_a_canary_unless_told_otherwise():
    assert [len(wave) for wave in Waves().split(range(MANY))] == [MANY]
    assert [len(wave) for wave in Waves().split(range(MANY + 1))] == [1, MANY]
    assert [len(wave) for wave in Waves(canaries=0).split(range(MANY + 1))] == [MANY + 1]


@given(
    st.lists(st.integers(), unique=True),
    st.one_of(st.none(), st.integers(0, 9)),
    st.integers(0, 9),
)
def test_every_host_is_in_one_wave_and_the_order_stays(hosts, canaries, batch):
    waves = Waves(canaries, batch).split(hosts)
    assert [host for wave in waves for host in wave] == hosts
    assert all(waves)


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Outcome.CONFIRMED, False),
        (Outcome.UNCHANGED, False),
        (Outcome.FAILED, True),
        (Outcome.ROLLED_BACK, True),
        (Outcome.UNREACHABLE, True),
        (Outcome.REFUSED, True),
    ],
)
def test_a_host_that_did_not_get_the_change_has_failed(outcome, counts):
    ended = [HostOutcome("a", outcome), HostOutcome("b", Outcome.CONFIRMED)]
    assert too_many_failed(ended, Waves()) is counts
    assert not too_many_failed(ended, Waves(max_fail=1))

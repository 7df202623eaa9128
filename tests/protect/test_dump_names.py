"""What a dump is called in its snapshot: one name without a directory, another for each part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protect.on_host.restic import dump_place, dumped


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ("postgresql/shop", "/postgresql+shop"),
        ("sqlite/srv/site/visits.db", "/sqlite+srv+site+visits.db"),
        ("mariadb/a+b%", "/mariadb+a%2Bb%25"),
    ],
)
def test_a_dump_has_a_name_that_tells_its_part(part, place):
    assert dump_place(part) == place


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_part_has_a_name_of_its_own_that_a_file_can_have(one, other):
    place = dump_place("sqlite/" + one)
    assert place.count("/") == 1
    assert len(place.encode()) < 256
    assert (place == dump_place("sqlite/" + other)) is (one == other)


def test_a_dump_of_a_time_before_is_found_where_it_was_put():
    assert dumped({"part": "postgresql/shop"}) == "/luytre/postgresql/shop"
    assert dumped({"part": "postgresql/shop", "place": ""}) == "/luytre/postgresql/shop"
    assert dumped({"part": "postgresql/shop", "place": "/postgresql+shop"}) == "/postgresql+shop"

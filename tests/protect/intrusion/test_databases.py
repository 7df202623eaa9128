"""Which database counts for a host, which one it has taken, and whose it is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.cli.main import run
from orchestrator.protect.intrusion.databases import Accepted, Databases
from orchestrator.workspace.directory import load

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIRST = Accepted("2" * 64, NOON, "An", "new")


@pytest.fixture
def databases(tmp_path):
    assert run(["init", str(tmp_path), "--operator", "An"]) == 0
    return Databases(load(tmp_path))


def test_what_was_accepted_and_what_was_taken_are_two_things(databases):
    databases.accept("web1", b"one", FIRST)
    assert databases.accepted()["web1"].delivered == ""
    databases.took("web1", FIRST.digest)
    databases.accept("web1", b"two", replace(FIRST, digest="3" * 64))
    kept = databases.accepted()["web1"]
    assert (kept.digest, kept.delivered) == ("3" * 64, FIRST.digest)


def test_a_workspace_is_the_same_one_whenever_it_is_asked(databases, tmp_path):
    own = databases.keeper()
    databases.accept("web1", b"one", FIRST)
    assert Databases(load(tmp_path)).keeper() == own
    assert len(own.id) == 32
    assert own.name.startswith("An, ")

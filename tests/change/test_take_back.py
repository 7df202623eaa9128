"""A run that was taken back is taken back once."""

from types import SimpleNamespace

import pytest

from orchestrator.change.rollback import Mandate, Survey, standing_runs
from orchestrator.change.take_back import sort_out
from orchestrator.model.change import HostOutcome, Outcome
from orchestrator.model.host import Endpoint, ManagedHost

RUN = "20261130T150400Z-048213"
STORE = SimpleNamespace(run_hosts=lambda _run: [HostOutcome("web1", Outcome.CONFIRMED)])


def surveyed(name, **told):
    """Return what a host says of the run, as the controller reads it."""
    run = {"run": RUN, "operator": "an", "under_way": "", "resources": [], "away": [], "back": []}
    said = {"runs": [{**run, **told}]}
    host = ManagedHost(name, Endpoint(name, "192.0.2.1"))
    return Survey(host, standing_runs(name, said, Mandate(RUN)))


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")


def test_a_run_that_is_back_already_is_left_as_it_is_and_said_to_be_back():
    back = surveyed("web1", state="rolled_back", over=True)
    stands = surveyed("web2", state="confirmed", over=False)
    surveys, outcomes = sort_out(STORE, [back, stands], RUN)
    assert [one.host.name for one in surveys] == ["web2"]
    reason = f"run {RUN} is taken back already"
    assert outcomes == [HostOutcome("web1", Outcome.UNCHANGED, reason)]


def test_packages_that_a_server_kept_when_it_went_back_by_itself_go_with_a_rollback():
    kept = surveyed("web1", state="rolled_back", over=False, away=["tiny-extra"])
    surveys, outcomes = sort_out(STORE, [kept], RUN)
    assert ([one.host.name for one in surveys], outcomes) == (["web1"], [])

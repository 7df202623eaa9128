"""A host that calls a run confirmed is a success only where all of it was done there."""

from typing import Any

import pytest

from orchestrator.change.confirmed import is_settling, outcome_of_confirmed
from orchestrator.model.change import Outcome
from orchestrator.model.errors import AgentError


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "en")


def facts(**record: Any) -> dict[str, Any]:
    """Return what a host says of two runs."""
    other = {"run": "other", "state": "confirmed", "settling": True, "problems": ["other"]}
    return {"runs": {"lock": None, "known": [other, {"run": "r", "state": "confirmed"} | record]}}


@pytest.mark.parametrize("record", [{}, {"settling": None, "problems": None}, {"problems": []}])
def test_a_run_that_came_to_its_end_is_confirmed(record: dict[str, Any]) -> None:
    ended = outcome_of_confirmed("web1", facts(**record), "r", ("banner",), "no answer")
    assert (ended.outcome, ended.reason, ended.changed) == (Outcome.CONFIRMED, "", ("banner",))


def test_what_is_not_kept_over_a_reboot_is_a_failure() -> None:
    ended = outcome_of_confirmed("web1", facts(problems=["firewall: no room"]), "r")
    assert ended.outcome is Outcome.FAILED
    assert ended.reason == "confirmed, but not kept over a reboot: firewall: no room"


def test_a_run_that_still_settles_is_a_failure_and_tells_why() -> None:
    told = facts(settling=True)
    assert is_settling("web1", told, "r")
    ended = outcome_of_confirmed("web1", told, "r", why="no room")
    assert ended.outcome is Outcome.FAILED
    held = "confirmed, but not made permanent yet, so the host stays held"
    assert ended.reason == f"{held}; no room"


@pytest.mark.parametrize("problems", ["one", [1], {"a": 1}])
def test_what_no_agent_says_is_refused(problems: Any) -> None:
    with pytest.raises(AgentError):
        outcome_of_confirmed("web1", facts(problems=problems), "r")

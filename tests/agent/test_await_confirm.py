"""How long a host waits for its confirmation before it removes packages."""

import json
from types import SimpleNamespace

import pytest

from orchestrator.agent import change, runs, settle
from orchestrator.agent.host import Refused

WINDOW = 3600


class Clock:
    """Time passes only where somebody waits; ``state`` becomes another one after a while."""

    def __init__(self, record, confirmed_after):
        self.now, self._record, self._after = 1000.0, record, 1000.0 + confirmed_after

    def monotonic(self):
        return self.now

    def pause(self, _seconds):
        self.now += 30
        if self.now >= self._after:
            self._record.write_text(json.dumps({"state": "confirmed"}))


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """Return what waits for a confirmation that comes after so many seconds, and its clock."""
    place = tmp_path / "run"
    place.mkdir()
    (place / "run.json").write_text(json.dumps({"state": "converged"}))
    (place / "request.json").write_text(json.dumps({"window": WINDOW}))
    monkeypatch.setattr(runs, "RUNS", str(tmp_path))
    monkeypatch.setattr(settle, "settle", lambda _run, _host: [])

    def wait(confirmed_after):
        clock = Clock(place / "run.json", confirmed_after)
        monkeypatch.setattr(change, "time", clock)
        host = SimpleNamespace(pause=clock.pause)
        return change.await_confirm({"run": "run"}, host), clock

    return wait


@pytest.mark.parametrize("seconds", [0, 300, WINDOW])
def test_a_confirmation_within_the_window_of_the_run_is_not_missed(waiting, seconds):
    assert waiting(seconds)[0] == {"state": "confirmed"}


def test_nobody_is_waited_for_for_ever(waiting):
    with pytest.raises(Refused, match="was not confirmed"):
        waiting(3 * WINDOW)

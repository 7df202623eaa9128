"""A watch that nobody's timer calls is told, and so is that nobody knows."""

import pytest

from orchestrator.protect.on_host import running
from orchestrator.protect.on_host.watching import main


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("active\n\nactive", []),
        ("inactive\n\nactive", ["luytre-intrusion.timer does not run"]),
        ("active", ["luytre-aide.timer does not run"]),
    ],
)
def test_a_timer_that_does_not_run_is_told(monkeypatch, said, told):
    monkeypatch.setattr(running, "output", lambda _words: said)
    assert main._idle() == told


def test_where_systemd_does_not_answer_the_rest_is_told_all_the_same(monkeypatch):
    def fails(_words):
        raise running.ProgramError("systemctl: it said nothing")

    monkeypatch.setattr(running, "output", fails)
    assert main._idle() == ["timers: systemctl: it said nothing"]

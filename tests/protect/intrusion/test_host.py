"""What a host's program does not say is told with what to do about it."""

import pytest

from orchestrator.fleet.ssh import Exchange
from orchestrator.model.errors import AgentError
from orchestrator.model.host import Endpoint
from orchestrator.protect import host_program
from orchestrator.protect.intrusion.host import ask


class Login:
    """A login of whose host nothing is asked."""

    endpoint = Endpoint("web1", "192.0.2.7")


def answering(monkeypatch, said):
    heard = {}

    def exchange(_login, _command, _message, **bounds):
        heard.update(bounds)
        return said

    monkeypatch.setattr(host_program, "exchange", exchange)
    return heard


def test_a_server_that_was_never_set_up_is_told_with_the_command(monkeypatch):
    complaint = b"python3: can't open file '/usr/local/lib/luytre/intrusion.pyz': [Errno 2]"
    answering(monkeypatch, Exchange(2, b"", complaint))
    with pytest.raises(AgentError, match="luytre intrusion setup --limit web1"):
        ask(Login(), "tell", "-", "0", seconds=1.0)


def test_an_answer_beyond_its_bound_is_told_as_that(monkeypatch):
    heard = answering(monkeypatch, Exchange(None, b"{", b"", truncated=True))
    with pytest.raises(AgentError, match="says more than 128 MiB"):
        ask(Login(), "newest", seconds=1.0, most=128 * 1024 * 1024)
    assert heard["max_output"] == 128 * 1024 * 1024


def test_a_server_with_a_program_of_before_is_told_with_the_command(monkeypatch):
    complaint = b"Traceback (most recent call last):\n  File ...\nKeyError: 'written'\n"
    answering(monkeypatch, Exchange(1, b"", complaint))
    with pytest.raises(AgentError, match="older one: luytre intrusion setup --limit web1"):
        ask(Login(), "written", seconds=1.0)

"""What servers said of their updates counts as long as it may be true."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestrator.cli import patch_asked
from orchestrator.cli.context import Output
from orchestrator.model.errors import AgentError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.patches import Patches, Update, as_known, document
from orchestrator.model.told import Told, Topic
from orchestrator.workspace.directory import load

NOW = datetime(2026, 11, 30, 22, tzinfo=UTC)
HOST = ManagedHost("web1", Endpoint("web1", "192.0.2.1"))
BROKEN = AgentError("web1", "its sources of packages: no route")


@pytest.fixture
def ask(new_workspace, monkeypatch):
    """Return what asks a server whose sources answered last at some moment."""
    workspace = load(new_workspace)
    workspace.prepare_state()

    def asked(at, failed):
        monkeypatch.setattr(patch_asked, "_found", lambda *_more: [Patches("web1", asked=at)])
        scope = SimpleNamespace(hosts=[HOST])
        (told,) = patch_asked.asked(workspace, scope, Output.JSON, failed, None)
        return told.unknown

    return asked


def test_sources_that_failed_are_unknown_until_they_answer_again(ask):
    assert ask(NOW, [BROKEN]) == BROKEN.message
    # Nobody asks them anew: what one of them has told apt since is no answer of all.
    assert ask(NOW, None) == BROKEN.message
    assert ask(NOW + timedelta(hours=1), None) == BROKEN.message
    assert ask(NOW + timedelta(hours=1), []) == ""
    assert ask(NOW + timedelta(hours=1), None) == ""


def test_what_a_server_said_long_ago_says_nothing_of_now(monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    answer = document(Patches("web1", asked=NOW))
    young = Told("web1", Topic.PATCHES, NOW - timedelta(days=6), answer)
    old = Told("web1", Topic.PATCHES, NOW - timedelta(days=8), answer)
    assert as_known(young, NOW).unknown == ""
    assert as_known(old, NOW).unknown == "nobody has asked it since 2026-11-22"


def test_what_was_taken_back_is_named_where_it_would_come_again(new_workspace, monkeypatch, capsys):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    workspace = load(new_workspace)
    workspace.prepare_state()
    waits = [
        Update("curl", "1", "2", security=True, held=False),
        Update("nginx", "1", "2", security=True, held=False),
        Update("held", "1", "2", security=True, held=True),
    ]
    scope = SimpleNamespace(hosts=[HOST])
    stages = iter(
        [
            # Before the rollback, one of them waited already.
            Patches("web1", tuple(waits[:1]), by_itself=True),
            Patches("web1", tuple(waits), by_itself=True),
            Patches("web1", tuple(waits[:1])),
            Patches("web1", tuple(waits)),
        ]
    )
    monkeypatch.setattr(patch_asked, "_found", lambda *_more: [next(stages)])
    patch_asked.asked(workspace, scope, Output.HUMAN, None, None)
    patch_asked.tell_taken_back(workspace, scope, Output.HUMAN)
    assert "(as root): apt-mark hold nginx\n" in capsys.readouterr().err
    # A server that installs nothing by itself.
    patch_asked.asked(workspace, scope, Output.HUMAN, None, None)
    patch_asked.tell_taken_back(workspace, scope, Output.HUMAN)
    assert "apt-mark" not in capsys.readouterr().err

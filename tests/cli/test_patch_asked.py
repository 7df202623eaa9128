"""What servers said of their updates counts as long as it may be true."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestrator.cli import patch_asked
from orchestrator.cli.context import Output
from orchestrator.model.errors import HostRefusedError, SourcesError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.patches import Patches, as_known, document
from orchestrator.model.told import Told, Topic
from orchestrator.workspace.directory import load

NOW = datetime(2026, 11, 30, 22, tzinfo=UTC)
HOST = ManagedHost("web1", Endpoint("web1", "192.0.2.1"))
BROKEN = SourcesError("web1", "its sources of packages: no route")
BUSY = HostRefusedError("web1", "apt is at work")


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


def test_sources_that_failed_are_unknown_until_all_of_them_answer(ask):
    assert ask(NOW, [BROKEN]) == BROKEN.message
    # Nobody asks them anew: what one of them has told apt since is no answer of all.
    since = ask(NOW + timedelta(hours=1), None)
    assert since.startswith(f"{BROKEN.message} (asked ")
    # Nor has anybody who could not ask.
    assert ask(NOW, [BUSY]) == BUSY.message
    assert ask(NOW, None) == since
    assert ask(NOW, []) == ask(NOW, None) == ""


def test_that_nobody_could_ask_is_told_once_and_what_was_known_counts(ask):
    assert ask(NOW, [BUSY]) == BUSY.message
    assert ask(NOW, None) == ""


def test_what_a_server_said_long_ago_says_nothing_of_now(monkeypatch):
    monkeypatch.setenv("LUYTRE_LANG", "en")
    answer = document(Patches("web1", asked=NOW))
    young = Told("web1", Topic.PATCHES, NOW - timedelta(days=6), answer)
    old = Told("web1", Topic.PATCHES, NOW - timedelta(days=8), answer)
    assert as_known(young, NOW).unknown == ""
    assert as_known(old, NOW).unknown == "nobody has asked it since 2026-11-22"

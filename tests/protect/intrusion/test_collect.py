"""What a server says of its files counts where it compared them with what was accepted."""

import zlib
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestrator.cli.views import intrusion_view
from orchestrator.cli.views.output import console
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect.intrusion import collect
from orchestrator.protect.intrusion.databases import Accepted, Databases
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)
WEB = ManagedHost("web1", Endpoint("web1", "192.0.2.1"))
DIGEST = "d" * 64


class Watched:
    """A server whose AIDE looked ``at``, and compared that with the database ``compared``.

    ``database`` is the one that lies there.
    """

    def __init__(self):
        self.at, self.database, self.compared, self.problem = NOW, "", "", ""

    def say(self, _login, *_words, **_more):
        result = {
            "at": self.at.timestamp(),
            "database": self.compared,
            "problem": self.problem,
            "changes": [],
            "total": 0,
        }
        keeper = {"id": "", "name": ""}
        return {
            "format": 1,
            "birth": "b" * 32,
            "at": NOW.timestamp(),
            "last": 0,
            "dropped": 0,
            "events": [],
            "problems": [],
            "came": "",
            "fail2ban": {"state": "running", "ignored": [], "banned": 0},
            "integrity": {"database": self.database, "keeper": keeper, "result": result},
        }


@pytest.fixture
def server(monkeypatch):
    made = Watched()
    monkeypatch.setattr(collect, "ask", made.say)
    return made


@pytest.fixture
def asked(new_workspace):
    """Return what asks the server: how it stands, and what somebody reads of its files."""
    workspace = load(new_workspace)
    databases = Databases(workspace)
    databases.keeper()
    fleet = SimpleNamespace(login=lambda _host: nullcontext(), concurrency=1)

    def ask(*, accepted):
        if accepted:
            kept = Accepted(DIGEST, YESTERDAY, "an", "first")
            databases.accept("web1", zlib.compress(b""), kept)
            databases.took("web1", DIGEST)
        with Store.open(workspace.store_file) as store:
            collecting = collect.Collecting(fleet, store, databases)
            return collecting.collect([WEB]).standings["web1"]

    return ask


def shown(standing, capsys):
    capsys.readouterr()
    console(False).print(
        intrusion_view.render_status(intrusion_view.Asked([standing], [], 0, {}, {}))
    )
    return capsys.readouterr().out


@pytest.mark.usefixtures("server")
def test_files_that_were_never_compared_have_no_time_of_it(asked, capsys):
    # AIDE looks each day from the set-up on.
    standing = asked(accepted=False)
    assert standing.looked is None
    assert "not yet" in shown(standing, capsys)


def test_a_look_that_compared_nothing_leaves_the_time_before(server, asked, capsys):
    server.at, server.database, server.compared = YESTERDAY, DIGEST, DIGEST
    assert asked(accepted=True).looked == YESTERDAY
    server.at, server.compared, server.problem = NOW, "", "aide: no room"
    standing = asked(accepted=False)
    assert standing.looked == YESTERDAY
    assert "not yet" not in shown(standing, capsys)

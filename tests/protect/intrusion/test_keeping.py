"""What is accepted differs no more, whether or not its server took the database already."""

import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from orchestrator.model.errors import UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.told import Topic
from orchestrator.model.watch import FileChange, WatchStanding, standing_document, standing_of
from orchestrator.protect.intrusion.accepting import Look
from orchestrator.protect.intrusion.databases import Databases
from orchestrator.protect.intrusion.keeping import Keeping
from orchestrator.store.repository import Store
from orchestrator.workspace.create import create
from orchestrator.workspace.directory import load

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
WEB = ManagedHost("web1", Endpoint("web1", "192.0.2.1"))


@contextmanager
def unreachable(host):
    raise UnreachableError(host.name, "no route")
    yield


@pytest.fixture
def keeping(tmp_path):
    """Return the databases of a workspace whose server is away."""
    create(tmp_path / "desk", "an")
    workspace = load(tmp_path / "desk")
    workspace.prepare_state()
    fleet = SimpleNamespace(login=unreachable, concurrency=1)
    with Store.open(workspace.store_file) as store:
        yield Keeping(fleet, store, Databases(workspace), "an")


def test_files_that_were_accepted_differ_no_more(keeping):
    before = standing_document(WatchStanding("web1", NOON, differ=1))
    keeping.store.save_answer("web1", Topic.INTRUSION, {"birth": "b", "standing": before})
    changed = (FileChange("/etc/issue", "changed", "content", "a" * 32),)
    look = Look("web1", NOON, "d" * 64, zlib.compress(b"database"), changed)
    assert [*keeping.accept({"web1": WEB}, [look], "announced")] == ["web1"]
    (kept,) = keeping.store.answers(Topic.INTRUSION, ["web1"])
    assert standing_of("web1", kept.answer).differ == 0
    assert kept.answer["birth"] == "b"

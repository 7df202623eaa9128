"""What a reboot run saw counts: the status tells no reboot any more that was made."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from orchestrator.change import reboot
from orchestrator.cli.main import run
from orchestrator.drift.record import record_audit
from orchestrator.model.errors import UnreachableError
from orchestrator.model.finding import HostAudit, Reach
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.model.manifest import Manifest
from orchestrator.model.patches import Patches, document
from orchestrator.model.protection import WAIVED
from orchestrator.model.record import NewRun, RunKind, RunStatus
from orchestrator.model.told import Topic
from orchestrator.model.waves import Waves
from orchestrator.store.repository import Store
from orchestrator.workspace.directory import load

HOST = ManagedHost("web1", Endpoint("web1", "192.0.2.1"), variables={WAIVED: "a test"})


class Server:
    """Answers as an agent does; it goes down once, and needs ``after`` then.

    Where it ``loses`` its answer to the order to reboot, the network was gone too soon.
    """

    endpoint = HOST.endpoint

    def __init__(self):
        self.loses = False
        self.boot = "first"
        self.after = {"reboot": "", "services": []}
        self.failing = []
        self.down = 0
        self.concurrency = 1

    @contextmanager
    def login(self, host, connect_timeout=None):
        del connect_timeout
        if self.down:
            self.down -= 1
            raise UnreachableError(host.name, "no route")
        yield self

    def ask(self, _login, request, *, seconds):
        del seconds
        told = {
            "status": {"host": {"boot": self.boot}},
            "patches": {"patches": self.after},
            "reboot": {},
        }[request["operation"]]
        if request["operation"] == "reboot":
            self.boot, self.down = "second", 1
            if self.loses:
                raise UnreachableError(HOST.name, "the connection was lost")
        return SimpleNamespace(result=told)


@pytest.fixture
def server(monkeypatch):
    made = Server()
    monkeypatch.setattr(reboot, "ask", made.ask)
    monkeypatch.setattr(
        reboot,
        "failing_checks",
        lambda _login, _host: made.failing if made.boot == "second" else [],
    )
    monkeypatch.setattr(reboot, "_PAUSE_SECONDS", 0.01)
    return made


@pytest.fixture
def workspace(new_workspace):
    """A workspace that knows of a server with an update in use after a reboot only."""
    made = load(new_workspace)
    made.prepare_state()
    with Store.open(made.store_file) as store:
        audit = store.start_run(NewRun(RunKind.AUDIT, "an"))
        audits = [HostAudit(HOST.name, Reach.ANSWERED)]
        manifests = {HOST.name: Manifest.of({"host": HOST.name, "controls": []})}
        record_audit(store, audit, audits, manifests, {HOST.name: HOST})
        store.finish_run(audit.id, RunStatus.DONE)
        waits = Patches(HOST.name, services=("ssh.service",), reboot="a newer kernel")
        store.save_answer(HOST.name, Topic.PATCHES, {**document(waits), "beside": "kept"})
    return made


def rebooted(workspace, server, seconds=60):
    with Store.open(workspace.store_file) as store:
        wish = reboot.Wish([HOST], Waves(), seconds)
        _run, (outcome,) = reboot.reboot_recorded(workspace, server, store, wish)
    return outcome.outcome.value


def reasons(capsys):
    capsys.readouterr()
    run(["status", "--output", "json"])
    told = json.loads(capsys.readouterr().out)["matters"]
    return {one["concern"]: one["reasons"] for one in told}


def test_the_status_tells_no_reboot_that_was_made(workspace, server, capsys):
    assert "a newer kernel" in reasons(capsys)["unpatched"]["web1"]
    assert rebooted(workspace, server) == "confirmed"
    assert "unpatched" not in reasons(capsys)
    with Store.open(workspace.store_file) as store:
        (known,) = store.answers(Topic.PATCHES, [HOST.name])
    assert known.answer["beside"] == "kept"


def test_a_server_whose_answer_is_lost_is_waited_for_all_the_same(workspace, server):
    server.loses = True
    assert rebooted(workspace, server) == "confirmed"


def test_what_a_rebooted_server_still_needs_is_told(workspace, server, capsys):
    server.after = {"reboot": "a package asks for it", "services": []}
    assert rebooted(workspace, server) == "failed"
    assert reasons(capsys)["unpatched"]["web1"] == "needs a reboot: a package asks for it"


def test_a_server_that_is_back_and_not_healthy_needs_no_reboot(workspace, server, capsys):
    server.failing = ["tcp 443"]
    assert rebooted(workspace, server, seconds=3) == "failed"
    assert "unpatched" not in reasons(capsys)

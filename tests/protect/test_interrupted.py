"""Ctrl-C ends what is done here; what goes on elsewhere is named, with where to look later."""

import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from orchestrator.model.errors import Interrupted
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect import restore, run
from orchestrator.protect.restore import RestoreWish, restore_on
from orchestrator.protect.run import back_up

RUN = "20261129T233009Z-311387"
HOSTS = [ManagedHost(name, Endpoint(name, "192.0.2.1")) for name in ("web1", "web2")]


@pytest.fixture
def fleet(monkeypatch):
    """Return a way to hosts of which the second goes on until the test has ended."""
    monkeypatch.setenv("LUYTRE_LANG", "en")
    begun, ended = threading.Event(), threading.Event()

    def call(login, *_words, **_more):
        if login == "web2":
            begun.set()
            ended.wait(30)
        begun.wait(30)
        return [{"state": "refused", "why": "there", "run": RUN, "problems": []}]

    for module in (run, restore):
        monkeypatch.setattr(module, "call", call)
    yield SimpleNamespace(login=lambda host: nullcontext(host.name), concurrency=2)
    ended.set()


def stop(*_anything):
    raise KeyboardInterrupt


def test_backups_that_go_on_are_named(fleet):
    with pytest.raises(Interrupted) as told:
        back_up(fleet, HOSTS, RUN, lambda _how_far: None, stop)
    assert told.value.message == "interrupted here; these servers go on with their backups: web2"
    assert "luytre backup status" in told.value.hint


def test_restores_that_go_on_are_named(fleet, monkeypatch):
    original = restore.over_hosts

    def interrupted(hosts, work, concurrency, on_done):
        def note(host, result):
            on_done(host, result)
            stop()

        return original(hosts, work, concurrency, note)

    monkeypatch.setattr(restore, "over_hosts", interrupted)
    with pytest.raises(Interrupted) as told:
        restore_on(fleet, HOSTS, RestoreWish("files", "latest", (), "/root/back"))
    assert told.value.message == "interrupted here; these servers go on restoring: web2"
    assert "/root/back" in told.value.hint

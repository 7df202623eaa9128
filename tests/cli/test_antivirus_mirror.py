"""``luytre antivirus mirror``: what clients would not get is a problem."""

import json
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from orchestrator.cli import antivirus_mirror
from orchestrator.cli.antivirus_scope import AntivirusScope
from orchestrator.cli.main import run
from orchestrator.model.errors import UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect.antivirus import mirror

URL = "http://mirror1.example:8080/clamav"
HOST = ManagedHost(
    "mirror1", Endpoint("mirror1", "192.0.2.1"), variables={"luytre_clamav_mirror": f"{URL}/"}
)
SAID = {
    "databases": [{"name": "daily.cvd", "own": False, "version": "1", "built": 1796000000.0}],
    "unreadable": [],
    "before": {},
    "counts": {},
    "problem": "",
    "unanswered": "",
}
pytestmark = pytest.mark.usefixtures("new_workspace")


@pytest.fixture
def ask(monkeypatch, capsys):
    """Return what asks a mirror that says ``said``: the code, what was shown, how it was asked."""
    fleet = SimpleNamespace(login=lambda host: nullcontext(host.name), concurrency=1)
    scope = AntivirusScope(fleet, (), [HOST])
    monkeypatch.setattr(antivirus_mirror, "scope_of", lambda *_: scope)

    def asked(*words, raising=None, **said):
        calls = []

        def answer(_login, *call, **_more):
            calls.append(call)
            if raising:
                raise raising
            return [{**SAID, **said}]

        monkeypatch.setattr(mirror, "ask_program", answer)
        capsys.readouterr()
        code = run(["antivirus", "mirror", *words])
        return code, capsys.readouterr().out, calls

    return asked


def test_a_mirror_whose_clients_get_nothing_is_a_problem(ask):
    why = f"{URL}/daily.cvd: Connection refused"
    code, shown, calls = ask("status", unanswered=why)
    assert code == 1
    assert f"mirror1: its clients do not get the files: {why}" in shown
    assert calls == [("mirror", URL)]
    code, told, _calls = ask("status", "--output", "json", unanswered=why)
    assert (code, json.loads(told)["mirrors"][0]["unanswered"]) == (1, why)


def test_a_mirror_that_is_well_is_none(ask):
    daily = {**SAID["databases"][0], "built": time.time()}
    code, shown, _calls = ask("status", databases=[daily])
    assert code == 0
    assert "clients" not in shown
    assert "next" not in shown


def test_what_mends_a_mirror_is_told(ask):
    assert "next: luytre antivirus mirror publish FILE…" in ask("status", unreadable=["bad"])[1]
    assert (
        "next: luytre antivirus setup --limit web"
        in ask("status", "--limit", "web", unanswered="Connection refused")[1]
    )


def test_what_was_published_and_does_not_reach_clients_is_a_problem(ask, tmp_path):
    (tmp_path / "center.hdb").write_text("a")
    code, shown, calls = ask("publish", "center.hdb", unanswered="answers 404")
    assert code == 1
    assert "mirror1: its clients do not get the files: answers 404" in shown
    assert calls == [("publish", URL)]


def test_what_was_refused_is_told_as_it_was_named(ask, tmp_path):
    (tmp_path / "center.hdb").write_text("a")
    code, shown, _calls = ask("publish", "center.hdb", problem="luytre-own.hdb: malformed")
    assert code == 6
    assert "mirror1: refused, what is served stays: center.hdb: malformed" in shown
    assert "luytre-own" not in shown


def logged(capsys):
    """Return what the audit log holds, oldest first: actions and details."""
    capsys.readouterr()
    assert run(["log", "show", "--output", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    return [(one["action"], one["detail"]) for one in reversed(entries)]


@pytest.mark.parametrize(
    ("raising", "code", "ended"),
    [
        (None, 0, ("signatures published", "")),
        (UnreachableError("mirror1", "no route"), 4, ("signatures published", "no route")),
        (
            KeyboardInterrupt(),
            130,
            (
                "publication of signatures interrupted",
                "not waited for: it may publish all the same",
            ),
        ),
    ],
)
def test_a_publication_is_in_the_log_however_it_ended(ask, tmp_path, capsys, raising, code, ended):
    (tmp_path / "center.hdb").write_text("a")
    before = len(logged(capsys))
    assert ask("publish", "center.hdb", raising=raising)[0] == code
    begun = {"files": ["center.hdb"], "replace": False}
    action, how = ended
    assert logged(capsys)[before:] == [
        ("publication of signatures started", {**begun, "mirrors": ["mirror1"]}),
        (action, {**begun, "mirrors": {"mirror1": how}}),
    ]

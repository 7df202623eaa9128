"""A dump that cannot be sent: a vault that is not there is named once, and no other is tried."""

import pytest

from orchestrator.protect.on_host import client, dumps, places

from .restic_script import Way

CONFIG = {"host": "web1", "paths": [], "excludes": [], "wish": "5" * 64}
FATAL = "echo 'Fatal: no' >&2; exit 1"


@pytest.fixture
def backup(tmp_path, monkeypatch):
    """Return a function from how the vault is to a backup of two databases, small and large."""
    monkeypatch.setattr(places, "PROGRESS", str(tmp_path / "progress"))
    made = {"small": "sleep 0.5; echo dump", "large": "head -c 9000000 /dev/zero"}

    def wanted(declared):
        (name,) = declared.values()
        return [dumps.Dump("postgresql", name, "15", ["sh", "-c", made[name]])]

    monkeypatch.setattr(dumps, "of", wanted)

    def back_up(first, *, there):
        names = [first, *({"small", "large"} - {first})]
        declared = [{"postgresql": name} for name in names]
        config = {**CONFIG, "databases": declared, "address": "192.0.2.1", "port": 1, "user": "x"}
        one = client.Backup(config, "20261130T000000Z-000000")
        one.vault = Way(FATAL, there=there)
        return one.go()

    return back_up


@pytest.mark.parametrize("first", ["small", "large"])
def test_a_vault_that_is_not_there_is_told_once(backup, first):
    told = backup(first, there=False)
    assert (told["state"], told["problems"], told["unreached"]) == ("failed", [], "vault1")


@pytest.mark.parametrize("first", ["small", "large"])
def test_what_a_vault_says_is_told_of_each_part(backup, first):
    told = backup(first, there=True)
    assert (told["state"], told["unreached"]) == ("failed", "")
    assert {one["part"] for one in told["problems"]} == {"postgresql/small", "postgresql/large"}
    assert {one["why"] for one in told["problems"]} == {"no"}

"""Every way to let oneself in again is seen between two looks."""

from contextlib import contextmanager
from copy import deepcopy

import pytest

from orchestrator.protect.on_host.watching import accounts
from orchestrator.protect.on_host.watching import record as record_module
from orchestrator.protect.on_host.watching.accounts import differences, groups
from orchestrator.protect.on_host.watching.record import Record

BEFORE = {
    "accounts": {
        "root": {"uid": "0", "shell": "/bin/bash", "password": "r"},
        "ops": {"uid": "1000", "shell": "/bin/bash", "password": "o"},
    },
    "groups": {"sudo": ["ops"], "users": []},
    "keys": {"ops": {"a": {"key": "SHA256:a", "note": "laptop"}}},
    "sudoers": {"/etc/sudoers": "s"},
}


def changed(*path, value):
    now = deepcopy(BEFORE)
    place = now
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    return now


def account(uid="1001", shell="/bin/bash", password="!"):
    return {"uid": uid, "shell": shell, "password": password}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (BEFORE, []),
        (changed("accounts", "eve", value=account()), ["account_new"]),
        (changed("accounts", "svc", value=account(shell="/usr/sbin/nologin")), ["account_system"]),
        (changed("accounts", "eve", value=account(uid="0")), ["account_root"]),
        (changed("accounts", "ops", "uid", value="0"), ["account_root"]),
        (changed("accounts", "ops", "shell", value="/bin/sh"), ["account_changed"]),
        (changed("accounts", "root", "password", value="x"), ["password"]),
        (changed("accounts", value={"root": BEFORE["accounts"]["root"]}), ["account_gone"]),
        (changed("groups", "sudo", value=["eve", "ops"]), ["group_mighty"]),
        (changed("groups", "users", value=["eve"]), ["group_joined"]),
        (changed("groups", "own", value=[]), ["group_new"]),
        (changed("keys", "root", value={"b": {"key": "SHA256:b", "note": ""}}), ["key_new"]),
        (changed("keys", value={}), ["key_gone"]),
        (changed("sudoers", "/etc/sudoers.d/eve", value="e"), ["sudoers_new"]),
        (changed("sudoers", "/etc/sudoers", value="t"), ["sudoers"]),
        (changed("sudoers", value={}), ["sudoers_gone"]),
    ],
)
def test_a_change_is_seen(now, told):
    assert [what for what, _of, _details in differences(BEFORE, now)] == told


def test_an_account_with_a_group_of_its_own_is_told_once():
    now = changed("accounts", "eve", value=account())
    now["groups"]["eve"] = ["eve"]
    assert [what for what, _of, _details in differences(BEFORE, now)] == ["account_new"]


def test_who_has_a_group_as_his_first_is_in_it():
    lines = [["root", "x", "0", ""], ["sudo", "x", "27", "ops,ann"]]
    found = groups(lines, {"0": ["root"], "27": ["eve"]})
    assert found == {"root": ["root"], "sudo": ["ann", "eve", "ops"]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine with one account, and a home that can be taken away."""
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "home/.ssh/authorized_keys").write_text("ssh-ed25519 AAAA ops")
    (tmp_path / "passwd").write_text(f"ops:x:1000:1000::{tmp_path}/home:/bin/sh")
    lines = accounts._lines
    known = {"/etc/passwd": str(tmp_path / "passwd")}
    monkeypatch.setattr(
        accounts, "_lines", lambda path, least: lines(known.get(path, "/nowhere"), least)
    )
    monkeypatch.setattr(accounts, "_SUDOERS", ())
    monkeypatch.setattr(accounts.keys, "_SETTINGS", ())
    monkeypatch.setattr(record_module, "_FILE", str(tmp_path / "record.json"))
    return tmp_path


@contextmanager
def unreadable(place):
    """Let a link to itself stand in a file's place: root may read everything else."""
    aside = place.rename(place.with_name("aside"))
    place.symlink_to(place.name)
    yield
    place.unlink()
    aside.rename(place)


def test_a_home_that_cannot_be_read_is_a_problem_and_no_change(home):
    record = Record()
    accounts.look(record)
    place = home / "home/.ssh/authorized_keys"
    with unreadable(place), pytest.raises(OSError, match="keys of ops"):
        accounts.look(record)
    accounts.look(record)
    assert record.events(0, 10) == []
    place.write_text("")
    accounts.look(record)
    assert [one["what"] for one in record.events(0, 10)] == ["key_gone"]


def test_accounts_that_cannot_be_read_are_not_all_new_afterwards(home):
    record = Record()
    accounts.look(record)
    with unreadable(home / "passwd"), pytest.raises(OSError, match="symbolic links"):
        accounts.look(record)
    accounts.look(record)
    assert record.events(0, 10) == []


def test_a_key_behind_much_padding_is_told(home):
    record = Record()
    accounts.look(record)
    place = home / "home/.ssh/authorized_keys"
    place.write_text("#" * 1024 * 1024 + "\nssh-ed25519 AAAA evil")
    accounts.look(record)
    told = [one for one in record.events(0, 10) if one["what"] == "key_new"]
    assert [str(place) in one["details"]["note"] for one in told] == [True]

"""Every way to let oneself in again is seen between two looks."""

from copy import deepcopy

import pytest

from orchestrator.protect.on_host.watching.accounts import differences

BEFORE = {
    "accounts": {
        "root": {"uid": "0", "shell": "/bin/bash", "password": "r"},
        "ops": {"uid": "1000", "shell": "/bin/bash", "password": "o"},
    },
    "groups": {"sudo": ["ops"], "users": []},
    "keys": {"ops": {"SHA256:a": "laptop"}},
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
        (changed("keys", "root", value={"SHA256:b": ""}), ["key_new"]),
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
    now["groups"]["eve"] = []
    assert [what for what, _of, _details in differences(BEFORE, now)] == ["account_new"]

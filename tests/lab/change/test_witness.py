"""Hosts remember what they have seen of the audit log: an older copy of the store is found out."""

import shutil

import pytest

from .desk import Desk
from .wishes import BANNER, GRACE, MARTIANS

pytestmark = pytest.mark.lab


def test_fault_37_a_store_brought_back_from_an_older_copy_is_found_out_by_the_hosts(
    desk, yard, c1, c2, tmp_path
):
    stranger = Desk(tmp_path / "stranger", yard.lab, "Lê Văn Cường")
    stranger.want(MARTIANS)
    assert stranger.apply(c1).code == 0
    desk.want(BANNER, GRACE)
    assert desk.apply(c1, control="own-banner").code == 0
    store = desk.directory / ".luytre" / "store.sqlite"
    copy = tmp_path / "copy.sqlite"
    shutil.copy(store, copy)
    assert desk.apply(c1, c2, control="own-grace").code == 0

    sound = desk.ask("log", "verify", "--hosts", "--limit", f"{c1},{c2}")
    assert sound.code == 0, sound
    assert sound.host(c1)["witnesses"] == 2
    assert sound.host(c1)["others"] >= 1
    assert sound.host(c2)["witnesses"] == 1

    shutil.copy(store, tmp_path / "present.sqlite")
    shutil.copy(copy, store)
    assert desk.ask("log", "verify").code == 0
    found = desk.luytre("log", "verify", "--limit", f"{c1},{c2}")
    assert found.code == 1, found
    assert f"{c1}, {c2}" in found.err
    assert "gone, but a witness saw them" in found.err

    # What is written now takes the place of what was seen: the log has forked.
    for _again in range(3):
        assert desk.luytre("audit", "--limit", c1).code == 0
    assert "a witness saw another entry" in desk.luytre("log", "verify", "--hosts").err
    shutil.copy(tmp_path / "present.sqlite", store)
    for one in (desk, stranger):
        assert one.ask("rollback", "--yes", "--host", f"{c1},{c2}").code == 0


def test_hosts_that_cannot_be_asked_are_told_and_count(desk, yard, c1):
    desk.want(BANNER)
    assert desk.apply(c1).code == 0
    yard.lab.run(c1, ["systemctl", "stop", "ssh.service"])
    try:
        asked = desk.luytre("log", "verify", "--limit", c1)
    finally:
        yard.lab.run(c1, ["systemctl", "start", "ssh.service"])
    assert asked.code == 4, asked
    assert f"not asked: {c1}" in asked.out
    assert desk.ask("rollback", "--yes", "--host", c1).code == 0

"""Hosts whose ground gives way: full, read-only, without programs, with a wrong clock."""

from contextlib import contextmanager

import pytest

from ..change.wishes import BANNER
from .zoo import GOOD, HOSTILE

pytestmark = pytest.mark.lab

ODD = "odd"
# Runs the agent two hours ahead of time.
AHEAD = """#!/usr/bin/python3
import os, sys
ahead = "import time\\ntime.time = lambda now=time.time: now() + 7200\\n"
words = [ahead + word if word.startswith("import os,sys,zlib") else word for word in sys.argv[1:]]
os.execv("/usr/bin/python3", ["/usr/bin/python3", *words])
"""


@contextmanager
def ground(zoo, lay, clear):
    """Change the hostile host's file systems for a while."""
    zoo.lab.run(HOSTILE, ["sh", "-ec", lay])
    try:
        yield
    finally:
        zoo.lab.run(HOSTILE, ["sh", "-c", clear])


@pytest.fixture
def odd(zoo):
    """Both hosts; what a test applies is taken back."""
    zoo.want(BANNER)
    zoo.add(ODD)
    yield zoo
    zoo.luytre("rollback", "--yes", "--host", f"{GOOD},{ODD}", "--force")


def told(done, name):
    return next(one for one in done.document["hosts"] if one["host"] == name)


@pytest.mark.parametrize(
    "lay",
    [
        "mount -t tmpfs -o size=16k,mode=1777 none /tmp; head -c 16384 /dev/zero >/tmp/full || :",
        "mount -t tmpfs -o noexec,mode=1777 none /tmp; mount --bind -o noexec /tmp /var/tmp || :",
        "mount -t tmpfs -o ro none /tmp",
    ],
    ids=["full", "noexec", "read-only"],
)
def test_fault_28_a_tmp_that_cannot_be_used_stands_in_nobodys_way(odd, lay):
    clear = "umount -l /var/tmp 2>/dev/null; umount -l /tmp"
    with ground(odd, lay, clear):
        assert told(odd.ask("audit"), ODD)["reach"] == "answered"
        applied = odd.ask("apply", "--yes")
    assert applied.code == 0, applied
    assert {one["outcome"] for one in applied.document["hosts"]} == {"confirmed"}


def refused_beside_a_changed_one(zoo, words):
    """Apply on both hosts: the honest one is changed, the other one says why it is not."""
    audited = zoo.ask("audit")
    assert told(audited, ODD)["reach"] == "answered"
    applied = zoo.ask("apply", "--yes")
    assert applied.code == 1, applied
    assert told(applied, GOOD)["outcome"] == "confirmed"
    odd = told(applied, ODD)
    assert odd["outcome"] in ("refused", "failed"), applied
    assert words in odd["reason"], odd


def test_fault_28_a_host_without_room_in_var_is_refused_and_told(odd):
    lay = (
        "mkdir -p /run/var; mount --bind /var /run/var; mount --make-private /run/var;"
        " mount -t tmpfs -o size=32m none /var;"
        ' for each in /run/var/*; do at="/var/${each##*/}"; mkdir "$at";'
        ' mount --bind "$each" "$at"; done'
    )
    clear = "umount -l -R /var; umount -l /run/var"
    with ground(odd, lay, clear):
        refused_beside_a_changed_one(odd, "/var has less than 64 MiB free")


def test_fault_28_a_host_without_room_for_the_journal_is_told_and_left_as_it_was(odd):
    lay = (
        "mkdir -p -m 0700 /var/lib/luytre;"
        " mount -t tmpfs -o size=64k,mode=0700 none /var/lib/luytre"
    )
    with ground(odd, lay, "umount -l /var/lib/luytre"):
        refused_beside_a_changed_one(odd, "No space left on device")
    assert not (odd.lab.root(HOSTILE) / "etc/issue.net").read_bytes().startswith(b"ours")


def test_fault_28_a_host_whose_file_systems_are_read_only_is_told(odd):
    lay = (
        "mkdir -p -m 0700 /var/lib/luytre; for each in /etc /usr /var/lib/luytre; do"
        ' mount --bind "$each" "$each"; mount -o remount,bind,ro "$each"; done'
    )
    with ground(odd, lay, "umount -l /var/lib/luytre /usr /etc"):
        refused_beside_a_changed_one(odd, "Read-only file system")


def test_a_host_whose_clock_is_off_is_refused_and_told(odd):
    odd.put(ODD, AHEAD)
    # A busy machine takes its time to ask.
    refused_beside_a_changed_one(odd, "the clock is 72")

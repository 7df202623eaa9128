"""Infected files that stay where they are, for what they belong to; all others are taken."""

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from orchestrator.protect.on_host.antivirus import left_alone, paths


def reason(path: Path, told: str = "") -> str:
    """Return why a file stays, as if its path were the one that is told."""
    directory = paths.open_directory(str(path.parent))
    try:
        seen = path.stat()
        entry = paths.Entry(told or str(path), directory, path.name, seen)
        return left_alone.reason(entry, seen)
    finally:
        os.close(directory)


def made(top: Path, *names: str) -> Path:
    """Make files below a directory; return the first."""
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("bad")
    return top / names[0]


@pytest.mark.parametrize(
    ("told", "stays"),
    [
        ("/home/an/a.doc", False),
        ("/usr/bin/ls", True),
        ("/var/lib/postgresql/15/main/base/1", True),
        ("/var/mail/an", True),
        ("/usrlocal", False),
    ],
)
def test_the_system_stays(tmp_path, told, stays):
    assert bool(reason(made(tmp_path, "x"), told)) is stays


@pytest.mark.parametrize(
    "names",
    [
        ["base/16384/2619", "PG_VERSION"],
        ["mysql/portal/letters.sdi", "mysql/ibdata1"],
        ["mongo/collection-7.wt", "mongo/WiredTiger"],
        ["app/data.SQLITE"],
        ["app/data.db-wal"],
        ["INBOX/dbox-Mails/u.12", "INBOX/dbox-Mails/dovecot.index.log"],
        ["an/mbox"],
        ["mail/cur/17", "mail/new/1", "mail/tmp/1"],
        ["app/.git/objects/pack/p.pack", "app/.git/HEAD", "app/.git/refs/heads/main"],
    ],
)
def test_databases_mail_and_repositories_stay(tmp_path, names):
    assert reason(made(tmp_path, *names)) == "a database, mail, or a repository"


@pytest.mark.parametrize(
    "names",
    [
        ["html/new/shell.php", "html/index.php"],
        ["Maildir/shell.php"],
        ["app/shell.php", "app/.git/HEAD", "app/.git/objects/x", "app/.git/refs/x"],
        ["app/PG_VERSION/shell.php"],
        ["app/HEAD/shell.php", "app/objects/x", "app/other"],
    ],
)
def test_a_name_alone_keeps_nothing(tmp_path, names):
    assert reason(made(tmp_path, *names)) == ""


def test_nobody_keeps_what_is_anothers_by_a_file_where_all_may_write(tmp_path):
    bad = made(tmp_path, "shared/bad", "shared/PG_VERSION")
    (tmp_path / "shared").chmod(0o1777)
    os.chown(tmp_path / "shared/PG_VERSION", 12345, 12345)
    assert reason(bad) == ""
    os.chown(bad, 12345, 12345)
    assert reason(bad) != ""


def test_what_a_process_shares_in_memory_stays(tmp_path):
    """PostgreSQL has such files in /dev/shm, and does not keep them open."""
    bad = made(tmp_path, "bad")
    system = ctypes.CDLL(None)
    system.mmap.restype = ctypes.c_void_p
    readable, both = mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE
    for protection, why in ((readable, ""), (both, "a process is writing to it")):
        with bad.open("r+b") as file:
            place = system.mmap(None, 3, protection, mmap.MAP_SHARED, file.fileno(), 0)
        try:
            assert reason(bad) == why
        finally:
            system.munmap(ctypes.c_void_p(place), 3)


def test_what_a_process_writes_to_stays_and_what_it_only_reads_is_taken(tmp_path):
    bad = made(tmp_path, "bad")
    with bad.open("rb"):
        assert reason(bad) == ""
    with bad.open("ab"):
        assert reason(bad) == "a process is writing to it"
    assert reason(bad) == ""

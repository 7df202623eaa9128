"""Infected files that stay where they are: told, not taken away.

What breaks a server or loses people's data when a scanner is wrong: the system, databases, mail,
repositories, and whatever a process is writing to.
"""

import contextlib
import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from . import paths

_BELOW = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot", "/etc", "/opt", "/root/.ssh"),
    *("/var/lib/postgresql", "/var/lib/mysql", "/var/lib/mongodb", "/var/lib/redis"),
    *("/var/lib/ldap", "/var/lib/dpkg", "/var/lib/docker", "/var/lib/containerd"),
    *("/var/mail", "/var/spool", "/var/vmail", "/srv/vmail", "/var/lib/dovecot"),
)
_NAMED = re.compile(
    # SQLite keeps what is not in the database yet beside it.
    r".*\.(sqlite|sqlite3|db)(-wal|-shm|-journal)?"
    r"|.*\.(ibd|frm|myd|mdb|accdb|mdf|ldf|mbox|pst|ost|qcow2|vmdk|vdi|raw)|mbox",
    re.IGNORECASE,
)
# Files that servers keep in their data: PostgreSQL, InnoDB, MongoDB, and Dovecot (dbox, mdbox).
_MARKS = ("PG_VERSION", "ibdata1", "WiredTiger", "dovecot.index.log", "dovecot.map.index.log")
_MAILDIR = ("cur", "new", "tmp")
# All of these make a repository of git.
_GIT = ("HEAD", "objects", "refs")
# Processes end and close files meanwhile; into a few of the system's own nobody may look.
_PASSED_OVER = (FileNotFoundError, ProcessLookupError, PermissionError)
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def reason(entry: "paths.Entry", seen: os.stat_result) -> str:
    """Return why a file stays where it is, empty where it may be taken away; raises OSError."""
    if any(entry.path == one or entry.path.startswith(one + "/") for one in _BELOW):
        return "a database, mail, or part of the system"
    if _NAMED.fullmatch(entry.name) or _in_maildir(entry) or _in_data(entry, seen):
        return "a database, mail, or a repository"
    return "a process is writing to it" if _is_written(seen) else ""


def _in_maildir(entry: "paths.Entry") -> bool:
    beside = entry.path.split("/")[-2]
    return beside in _MAILDIR and all(
        _mode(entry.directory, "../" + one) == stat.S_IFDIR for one in _MAILDIR
    )


def _in_data(entry: "paths.Entry", seen: os.stat_result) -> bool:
    """Return whether a directory on the way to a file is one that a server keeps its data in.

    Where everybody may write, the mark must belong to the owner of the file: nobody keeps another
    one's malware by a file in /tmp.
    """
    for directory in _upwards(entry):
        owners = list(_marks(directory))
        shared = os.fstat(directory).st_mode & stat.S_IWOTH
        if seen.st_uid in owners or (owners and not shared):
            return True
    return False


def _marks(directory: int) -> "Iterator[int]":
    """Yield who owns each mark in a directory."""
    is_git = all(_mode(directory, one) for one in _GIT)
    for mark in (*_MARKS, *(_GIT[:1] if is_git else ())):
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(mark, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield found.st_uid


def _upwards(entry: "paths.Entry") -> "Iterator[int]":
    """Yield the directory of a file and those above it, as they are, each open for one turn."""
    step = os.open(".", _STEP, dir_fd=entry.directory)
    try:
        for _level in range(entry.path.count("/")):
            yield step
            above = os.open("..", _STEP, dir_fd=step)
            os.close(step)
            step = above
    finally:
        os.close(step)


def _mode(directory: int, name: str) -> int:
    """Return what sort of thing a name stands for, 0 for nothing."""
    try:
        return stat.S_IFMT(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return 0


def _is_written(seen: os.stat_result) -> bool:
    """Return whether a process has a file open to write: what only reads it, loses nothing."""
    for process in os.listdir("/proc"):
        if not process.isdigit():
            continue
        with contextlib.suppress(*_PASSED_OVER):
            if _shares(process, seen):
                return True
            for number in os.listdir("/proc/{}/fdinfo".format(process)):
                with contextlib.suppress(*_PASSED_OVER):
                    if _writes(process, number, seen):
                        return True
    return False


def _shares(process: str, seen: os.stat_result) -> bool:
    """Return whether a process has a file in its memory and writes to it there."""
    with open("/proc/{}/maps".format(process), encoding="utf-8", errors="replace") as file:
        for line in file:
            _where, rights, _offset, _device, inode = line.split(None, 5)[:5]
            if rights[1] + rights[3] == "ws" and int(inode) == seen.st_ino:
                return True
    return False


def _writes(process: str, number: str, seen: os.stat_result) -> bool:
    with open(
        "/proc/{}/fdinfo/{}".format(process, number), encoding="utf-8", errors="replace"
    ) as file:
        told = dict(line.split(":", 1) for line in file if ":" in line)
    if int(told["flags"], 8) & os.O_ACCMODE == os.O_RDONLY:
        return False
    # Kernels before 5.14 do not say it. Nobody else's file is asked: it may lie on a server that
    # does not answer.
    if int(told.get("ino", seen.st_ino)) != seen.st_ino:
        return False
    return os.path.samestat(os.stat("/proc/{}/fd/{}".format(process, number)), seen)

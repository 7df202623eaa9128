"""Whom fail2ban banned, and whom it ignores, as its own database and its server say."""

import os
import sqlite3
import subprocess
import time

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

_DATABASE = "/var/lib/fail2ban/fail2ban.sqlite3"
_JAIL = "sshd"
_SECONDS = 20


def look(record: Record) -> None:
    """Tell a record of every ban since the last look; raises sqlite3.Error, OSError."""
    if not os.path.exists(_DATABASE):
        return
    memory = record.memory("bans", {"since": time.time()})
    connection = sqlite3.connect("file:{}?mode=ro".format(_DATABASE), uri=True, timeout=10)
    try:
        # A second holds several: the one that was told last is asked for again.
        query = (
            "SELECT jail, ip, timeofban FROM bans WHERE timeofban >= ? ORDER BY timeofban LIMIT 500"
        )
        for jail, source, at in connection.execute(query, (memory["since"] - 1,)):
            record.add(
                "ban", float(at), "{}|{}|{}".format(jail, source, at), jail=jail, source=source
            )
            memory["since"] = float(at)
    finally:
        connection.close()


def standing() -> "Dict[str, Any]":
    """Return ``state`` (absent, stopped, running); where it runs, whom it ignores and bans."""
    if not os.path.exists("/usr/bin/fail2ban-client"):
        return {"state": "absent", "ignored": [], "banned": 0}
    ignored = _ask("get", _JAIL, "ignoreip")
    banned = _ask("get", _JAIL, "banip")
    if ignored is None or banned is None:
        return {"state": "stopped", "ignored": [], "banned": 0}
    # One a line, behind the branches of a tree.
    found = [line.lstrip("|`- ") for line in ignored.splitlines() if line.startswith(("|-", "`-"))]
    return {"state": "running", "ignored": found, "banned": len(banned.split())}


def _ask(*words: str) -> "Any":
    try:
        done = subprocess.run(
            ["fail2ban-client", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

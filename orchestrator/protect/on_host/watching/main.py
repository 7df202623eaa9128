"""The program that is installed on every server: ``intrusion.pyz VERB``.

``watch`` and ``look`` are called by timers; the controller calls ``settle`` (told on stdin),
``tell``, ``look``, ``newest``, ``accept`` (told on stdin), ``left``, ``written`` (told on stdin),
``certified`` and ``certify`` (told on stdin). What is said is JSON, a document a line.
"""

import json
import os
import sqlite3
import sys
import time
from functools import partial

from .. import places, running
from . import accounts, bans, certificates, integrity, left, room, sending, whence
from .journal import JournalError
from .logins import Logins
from .record import Record, locked, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

_SETTINGS = "/etc/luytre-intrusion/settings.json"
_TIMERS = ("luytre-intrusion.timer", "luytre-aide.timer")
_FORMAT = 1
_MOST_TOLD = 1000
_JOURNAL = "journal"
# So long ago (seconds) the login that asks came at most, or its sudo; the journal takes a moment.
_JUST_NOW = 120.0
_ATTEMPTS = 5


def main(arguments: "List[str]") -> int:
    """Do what the first argument names; return the exit status."""
    verbs: "Dict[str, Callable[..., int]]" = {
        "watch": _watch,
        "settle": _settle,
        "tell": _tell,
        "look": _look,
        "newest": _newest,
        "accept": _accept,
        "left": _left,
        "written": _written,
        "certified": _certified,
        "certify": _certify,
    }
    os.umask(0o077)
    return verbs[arguments[0]](*arguments[1:])


def _watch() -> int:
    """Look at everything once."""
    with locked():
        record = Record()
        problems = _pass(record)
        record.save(watched=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _settle() -> int:
    """Keep what the controller says of this host, look for the first time, start the timers."""
    places.directory(os.path.dirname(_SETTINGS))
    places.save(_SETTINGS, json.load(sys.stdin))
    with locked():
        record = Record()
        problems = _pass(record)
        record.save(watched=True)
    came = _came(problems)
    if problems:
        _say({"state": "failed", "why": "; ".join(problems)})
        return 0
    running.output(["systemctl", "daemon-reload"])
    running.output(["systemctl", "enable", "--quiet", "--now", *_TIMERS])
    _say({"state": "ready", "came": came})
    return 0


def _tell(birth: str, after: str) -> int:
    """Look now, and say the events after a number of this record; all, where it is another one."""
    with locked():
        record = Record()
        problems = _pass(record)
        came = _came(problems)
        if came and not any(problem.startswith(_JOURNAL) for problem in problems):
            problems += _deaf(record)
        problems += _idle()
        from_ = int(after) if record.birth == birth else 0
        events = record.events(from_, _MOST_TOLD)
        record.save(watched=True)
    told = {
        "format": _FORMAT,
        "birth": record.birth,
        "at": time.time(),
        "last": record.last,
        "dropped": record.dropped,
        "events": events,
        "problems": problems,
        "came": came,
        "fail2ban": bans.standing(),
        "integrity": integrity.standing(),
    }
    _say(told)
    return 0


def _look() -> int:
    """Look at every file."""
    _say(integrity.look())
    return 0


def _newest() -> int:
    """Say the whole database of the newest look."""
    _say(integrity.newest())
    return 0


def _accept() -> int:
    """Keep the database that is told on stdin as the accepted one."""
    _say(integrity.accept(json.load(sys.stdin)))
    return 0


def _left(age: str, *runs: str) -> int:
    """Say how runs left the files that they wrote, or how setting up did, where none is named."""
    _say(left.of_runs(float(age), [*runs]) if runs else left.of_setup())
    return 0


def _written() -> int:
    """Say how another set-up left what it wrote, as is told on stdin."""
    _say(left.of_written(json.load(sys.stdin)))
    return 0


def _certified() -> int:
    """Say with which certificates logs are sent and taken."""
    _say(certificates.standing())
    return 0


def _certify() -> int:
    """Keep the certificates that are told on stdin."""
    certificates.keep(json.load(sys.stdin))
    _say(certificates.standing())
    return 0


def _pass(record: Record) -> "List[str]":
    """Look at everything that is watched; return what could not be looked at."""
    record.note_pause(time.time(), _up())
    logins = Logins(record, places.load(_SETTINGS))
    problems = []
    parts: "Dict[str, Callable[[], None]]" = {
        _JOURNAL: logins.read,
        "accounts": partial(accounts.look, record),
        "fail2ban": partial(bans.look, record),
        "room": partial(room.look, record),
        "logs": partial(sending.look, record),
    }
    for name, part in parts.items():
        try:
            part()
        except (JournalError, sqlite3.Error, OSError, ValueError) as problem:
            problems.append(shown("{}: {}".format(name, problem)))
    return problems


def _deaf(record: Record) -> "List[str]":
    """Return a problem where the journal does not hold even the login that asks."""
    for _attempt in range(_ATTEMPTS):
        logins = Logins(record, places.load(_SETTINGS))
        if logins.heard_since(time.time() - _JUST_NOW):
            return []
        time.sleep(1)
        try:
            logins.read()
        except (JournalError, ValueError) as problem:
            return ["{}: {}".format(_JOURNAL, problem)]
    return ["{}: it does not hold even this login".format(_JOURNAL)]


def _idle() -> "List[str]":
    """Return which of our timers do not run: nobody looks then, but for whoever asks."""
    show = ["systemctl", "show", "--property=ActiveState", "--value", *_TIMERS]
    try:
        said = running.output(show)
    except running.ProgramError as problem:
        # What was seen meanwhile must be told all the same.
        return [shown("timers: {}".format(problem))]
    states = dict(zip(_TIMERS, said.split()))  # noqa: B905 - Python 3.6
    return ["{} does not run".format(timer) for timer in _TIMERS if states.get(timer) != "active"]


def _came(problems: "List[str]") -> str:
    """Return from where this login came; where sshd does not tell, that is one of the problems."""
    try:
        return whence.address()
    except (OSError, ValueError) as problem:
        problems.append("login: {}".format(problem))
        return ""


def _up() -> float:
    """Return for how many seconds this host runs."""
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0])


def _say(told: "Any") -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()

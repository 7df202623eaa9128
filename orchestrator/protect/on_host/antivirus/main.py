"""The program that is installed on hosts and on the mirror: ``antivirus.pyz VERB``.

On a host ``settle``, ``restore``, ``delete`` (told on stdin), ``timed``, ``scan``, ``status``,
``update``, ``prove``, ``quarantine``; on the mirror ``publish``, ``replace`` (a tar archive on
stdin), ``mirror``, each with the address that clients ask, and ``renew``. What is said is JSON, a
document a line.
"""

import json
import os
import subprocess
import sys

from .. import places
from ..running import ProgramError, output
from . import (
    answering,
    bounds,
    bringing_back,
    layout,
    proving,
    publishing,
    quarantine,
    results,
    scanning,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

_BUSY = "a scan goes on"
_TOO_LITTLE_MEMORY = "the scanner was killed: it took more memory than it may"
_UPDATE_SECONDS = 1800.0
# They hold all signatures in memory; the unit of the nightly scan is bounded by itself.
_BOUNDED = ("update", "prove", "publish", "replace")
_TOLD_OF_KEPT = ("name", "path", "signature", "size", "at")
_SHOWN = ("ActiveState", "Result", "NRestarts", "MemoryMax")


class Antivirus:
    """What this host is asked; ``signatures`` is the agent's module that knows the databases."""

    def __init__(self, signatures: "Any") -> None:
        self._signatures = signatures

    def settle(self) -> None:
        """Keep what is to be scanned, as is told on stdin, and when: the timer starts."""
        wish = json.load(sys.stdin)
        places.directory(os.path.dirname(layout.WISH))
        places.directory(layout.STATE)
        places.save(layout.WISH, wish)
        _say(places.ended(_start))

    def timed(self) -> int:
        """Scan because it is time; what came of it stands in its result file."""
        try:
            with places.locked(layout.LOCK, wait=False):
                told = scanning.scan(places.load(layout.WISH))
        except BlockingIOError:
            print(_BUSY, file=sys.stderr)
            return 75
        results.keep(_with_kills(told))
        return 1 if told["state"] == "failed" else 0

    def scan(self) -> None:
        """Start a scan, or wait for the one that goes on; it goes on where we are killed."""
        before = results.kept()[-1:]
        subprocess.run(
            ["systemctl", "start", layout.SCAN_UNIT], stderr=subprocess.DEVNULL, check=False
        )
        if results.kept()[-1:] == before:
            _say(dict(self._standing(), problem=_last_words(layout.SCAN_UNIT)))
            return
        self.status()

    def status(self) -> None:
        """Say how this host stands."""
        _say(self._standing())

    def update(self) -> None:
        """Fetch signatures now, and start the daemon where it waits for them."""
        waits = _daemon().get("ActiveState", "active") not in ("active", "reloading")
        problem = ""
        try:
            # The service holds its own log.
            words = ["freshclam", "--stdout", "--log=/dev/null"]
            output(words, seconds=_UPDATE_SECONDS)
        except ProgramError as failed:
            problem = str(failed)
        if waits:
            # While it waits to be started again by itself, a start would wait along.
            for verb in ("stop", "reset-failed", "start"):
                subprocess.run(["systemctl", verb, layout.DAEMON_UNIT], check=False)
        _say(dict(self._standing(), problem=problem))

    def prove(self) -> None:
        """Say whether the test file is found."""
        try:
            with places.locked(layout.LOCK, wait=False):
                proof = proving.prove()
        except BlockingIOError:
            _say(dict(self._standing(), problem=_BUSY))
            return
        problem = _TOO_LITTLE_MEMORY if bounds.killed() else ""
        _say(dict(self._standing(), proof=proof, problem=problem))

    def quarantine(self) -> None:
        """Say what was taken away and is kept."""
        told = [{key: one[key] for key in _TOLD_OF_KEPT} for one in quarantine.kept()]
        _say({"kept": results.shortened(told)})

    def restore(self) -> None:
        """Bring back what is named on stdin."""
        self._each(bringing_back.restore)

    def delete(self) -> None:
        """Delete for good what is named on stdin."""
        self._each(quarantine.delete)

    def publish(self, url: str) -> None:
        """Publish what comes on stdin; where a file is refused, say why."""
        self._serve(url, lambda mirror: mirror.publish(sys.stdin.buffer, replace=False))

    def replace(self, url: str) -> None:
        """Publish as above; our own files may lack signatures that are served."""
        self._serve(url, lambda mirror: mirror.publish(sys.stdin.buffer, replace=True))

    def renew(self) -> None:
        """Let our own databases say that they are of now."""
        publishing.Mirror(self._signatures).renew()

    def mirror(self, url: str) -> None:
        """Say what is served; our own databases are, from now on."""
        self._serve(url, lambda mirror: mirror.prepare())

    def _serve(self, url: str, work: "Callable[[publishing.Mirror], None]") -> None:
        mirror, problem = publishing.Mirror(self._signatures), ""
        before = publishing.counts()
        try:
            work(mirror)
        except publishing.PublishError as refused:
            problem = str(refused)
        unanswered = answering.unanswered(url, publishing.CURRENT)
        _say(dict(mirror.status(), before=before, problem=problem, unanswered=unanswered))

    def _each(self, work: "Callable[[str], Dict[str, Any]]") -> None:
        for name in json.load(sys.stdin):
            try:
                _say(dict(work(name), name=name, problem=""))
            except (quarantine.QuarantineError, OSError) as problem:
                _say({"name": name, "problem": str(problem)})

    def _standing(self) -> "Dict[str, Any]":
        scans, left_off = results.told()
        try:
            databases, unreadable = self._databases(), ""
        except self._signatures.Unreadable as problem:
            databases, unreadable = [], str(problem)
        return {
            "format": scanning.FORMAT,
            "version": _version(),
            "daemon": _daemon(),
            "databases": databases,
            "unreadable": unreadable,
            "results": scans,
            "left_off": left_off,
            "proof": _loaded(layout.PROOF),
            "quarantined": quarantine.count(),
            "taken": results.shortened(quarantine.taken()),
            "problem": "",
        }

    def _databases(self) -> "List[Dict[str, Any]]":
        return [
            {"name": one.name, "own": one.own, "version": one.version, "built": one.built}
            for one in self._signatures.databases()
        ]


def main(arguments: "List[str]", signatures: "Any") -> int:
    """Do what the first argument names; return the exit status."""
    os.umask(0o077)
    if arguments[0] in _BOUNDED:
        bounds.enter(arguments)
    host = Antivirus(signatures)
    verbs: "Dict[str, Callable[[], Any]]" = {
        "settle": host.settle,
        "timed": host.timed,
        "scan": host.scan,
        "status": host.status,
        "update": host.update,
        "prove": host.prove,
        "quarantine": host.quarantine,
        "restore": host.restore,
        "delete": host.delete,
        "publish": lambda: host.publish(arguments[1]),
        "replace": lambda: host.replace(arguments[1]),
        "renew": host.renew,
        "mirror": lambda: host.mirror(arguments[1]),
    }
    return int(verbs[arguments[0]]() or 0)


def _with_kills(told: "Dict[str, Any]") -> "Dict[str, Any]":
    """Return what came of a scan, never whole where its scanner was killed."""
    if not bounds.killed():
        return told
    return dict(
        told,
        state="partial" if told["state"] == "done" else told["state"],
        problems=[{"path": "", "why": _TOO_LITTLE_MEMORY}, *told["problems"]],
        problems_total=told["problems_total"] + 1,
    )


def _daemon() -> "Dict[str, str]":
    if not os.path.exists(layout.DAEMON):
        return {}
    words = ["systemctl", "show", "--property=" + ",".join(_SHOWN), layout.DAEMON_UNIT]
    lines = output(words).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _version() -> str:
    try:
        return output(["clamscan", "--version"]).split("/")[0].partition(" ")[2]
    except ProgramError:
        return ""


def _loaded(path: str) -> "Any":
    try:
        return places.load(path)
    except FileNotFoundError:
        return None


def _start() -> None:
    output(["systemctl", "daemon-reload"])
    places.starts(layout.SCAN_TIMER)
    # The hour may be another one than before.
    output(["systemctl", "restart", layout.SCAN_TIMER])
    if os.path.exists(layout.DAEMON):
        output(["systemctl", "start", "--no-block", layout.DAEMON_UNIT])


def _last_words(unit: str) -> str:
    words = ["journalctl", "--unit", unit, "--lines", "3", "--output", "cat", "--no-pager"]
    try:
        return output(words)[-500:] or "the scan ended without a word"
    except ProgramError as problem:
        return str(problem)


def _say(told: "Any") -> None:
    print(json.dumps(told, sort_keys=True), flush=True)

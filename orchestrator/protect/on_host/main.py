"""The program that is installed on clients and vaults: ``backup.pyz VERB``.

On a client ``settle``, ``restore``, ``verify``, ``drilled`` (told on stdin), ``run``, ``timed``,
``follow``, ``status``; on a vault ``enroll``, ``prove``, ``grant``, ``revoke``, ``survey`` (told on
stdin), ``care``, ``accept``; on a host of second copies ``copy-settle`` (told on stdin), ``copy``,
``copy-status``, ``copy-accept``; on a scratch host ``drill-key``, ``drill``, ``drill-results``
(told on stdin), ``drilling``, ``drill-clear``. What is said is JSON, a document a line.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

from . import (
    care,
    client,
    copying,
    drill,
    grant,
    places,
    restic,
    restoring,
    retain,
    scrub,
    vault,
    verifying,
)
from .drill_places import Drilled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

UNIT = "luytre-backup@{}.service"
TIMER = "luytre-backup-timed.timer"
_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{6}")
# The first digits of a snapshot's id, as restic tells them.
_SNAPSHOT = re.compile(r"[0-9a-f]{8,64}")
# How often a run is looked at while it is followed (seconds).
_PAUSE = 0.2
_KEPT_RESULTS = 60
# sysexits.h: later.
_BUSY = 75


def main(arguments: "List[str]") -> int:
    """Do what the first argument names; return the exit status."""
    verbs: "Dict[str, Callable[..., int]]" = {
        "settle": _settle,
        "run": _run,
        "timed": _timed,
        "follow": _follow,
        "status": _status,
        "restore": _restore,
        "verify": _verify,
        "enroll": _enroll,
        "prove": _prove,
        "care": _care,
        "survey": _survey,
        "grant": _grant,
        "revoke": _revoke,
        "drill-key": _drill_key,
        "drill": _drill,
        "drill-results": _drill_results,
        "drilling": _drilling,
        "drill-clear": _drill_clear,
        "drilled": _drilled,
        "accept": _accept,
        "copy": _copy,
        "copy-settle": _copy_settle,
        "copy-status": _copy_status,
        "copy-accept": _copy_accept,
    }
    os.umask(0o077)
    try:
        return verbs[arguments[0]](*arguments[1:])
    except FileNotFoundError as problem:
        if problem.filename != places.CLIENT:
            raise
        print("this host was not set up as a client", file=sys.stderr)
        return places.NOT_SET_UP


def _settle() -> int:
    """Keep what the controller says of this client, and try the way to the vault."""
    told = json.load(sys.stdin)
    places.directory(places.CONFIGURED)
    places.write(places.PASSWORD, told["password"] + "\n")
    places.save(places.CLIENT, told["client"])
    way = restic.Vault(told["client"])
    try:
        way.ask("--no-lock", "cat", "config")
    except restic.Unreached as problem:
        _say(places.set_up(state="unreached", unreached=str(problem)))
        return 0
    except restic.ResticError as problem:
        _say(places.set_up(state="failed", why=str(problem)))
        return 0
    _say(places.ended(lambda: places.starts(TIMER)))
    return 0


def _enroll() -> int:
    """Let clients into this vault; one that cannot be is told, and the others are."""
    for told in json.load(sys.stdin):
        try:
            made = vault.enroll(told["client"], told["public_key"], told["password"])
            _say(places.set_up(**made))
        except (vault.VaultError, OSError) as problem:
            _say(places.set_up(client=told["client"], why=str(problem)))
    return 0


def _run(run: str) -> int:
    """Back up as one run; what came of it stands in its result file."""
    status = _backed_up(run)
    if status == _BUSY:
        places.save(_busy(run), run)
    return status


def _timed() -> int:
    """Back up because it is time."""
    return _backed_up(time.strftime("%Y%m%dT%H%M%SZ-000000", time.gmtime()))


def _backed_up(run: str) -> int:
    try:
        told = client.back_up(run)
    except client.Busy as problem:
        print(problem, file=sys.stderr)
        return _BUSY
    _forget_old()
    return 0 if told["state"] == "complete" else 1


def _busy(run: str) -> str:
    """Return the file that says of a run that another one went on."""
    return os.path.join(places.RUNNING, run + ".busy")


def _follow(run: str) -> int:
    """Start a run and say how it goes, one JSON document a line; the last one is its result.

    The run is the host's own: it goes on where nobody follows it any more.
    """
    if not _RUN.fullmatch(run):
        raise ValueError("not the name of a run: {!r}".format(run))
    places.load(places.CLIENT)
    unit = UNIT.format(run)
    _watch(unit, lambda: _progress(run))
    result = _loaded(os.path.join(places.RESULTS, run + ".json"))
    if result is not None:
        _say(result)
        return 0
    if _loaded(_busy(run)) is not None:
        os.unlink(_busy(run))
        _say({"state": "busy"})
        return 0
    _say({"state": "failed", "run": run, "problems": [_why(unit)]})
    # It failed, and systemd would remember that forever.
    subprocess.run(["systemctl", "reset-failed", unit], stderr=subprocess.DEVNULL, check=False)
    return 0


def _drill_key(name: str) -> int:
    """Say the public key by which a drill will come to the vault."""
    _say({"public_key": drill.prepare(name)})
    return 0


def _drill(name: str) -> int:
    """Start a drill that is told on stdin, and say how it goes; the last document is its result.

    It stays here until ``drill-results`` is told that it was kept.
    """
    drilled = Drilled(name)
    drill.ready(name, json.load(sys.stdin))
    _watch(drilled.unit, lambda: _loaded(drilled.progress))
    # It returns when everything of the drill is taken away.
    subprocess.run(["systemctl", "stop", drilled.unit], check=True)
    result = _loaded(drilled.result)
    _say({"state": "undone", "problems": [_why(drilled.unit)]} if result is None else result)
    drill.clear(name)
    if result is None:
        # It failed, and systemd would remember that forever.
        subprocess.run(["systemctl", "reset-failed", drilled.unit], check=False)
    return 0


def _drill_results() -> int:
    """Say what came of drills; forget those that are told on stdin."""
    _say({"results": drill.results(json.load(sys.stdin))})
    return 0


def _drilling(name: str) -> int:
    """Do a drill; what came of it stands in its result file."""
    drill.drill(name)
    return 0


def _drill_clear(name: str) -> int:
    """Take away what a drill made, however it ended."""
    drill.clear(name)
    return 0


def _drilled() -> int:
    """Keep how this client's drill ended, as is told on stdin."""
    told = json.load(sys.stdin)
    places.save(places.DRILL, {"state": told["state"], "at": told["at"]})
    _say({"state": "kept"})
    return 0


def _grant() -> int:
    """Let the key of a drill in, as is told on stdin."""
    told = json.load(sys.stdin)
    return _allowed(lambda: grant.grant(told["client"], told["public_key"], told["seconds"]))


def _revoke() -> int:
    """Let the key of a drill in no more."""
    told = json.load(sys.stdin)
    return _allowed(lambda: grant.revoke(told["client"], told["public_key"]))


def _allowed(work: "Callable[[], Any]") -> int:
    try:
        _say(work())
    except vault.VaultError as problem:
        _say({"why": str(problem)})
    return 0


def _watch(unit: str, progress: "Callable[[], Any]") -> None:
    """Start a unit and say its progress until it has ended; it goes on where we are killed."""
    starter = subprocess.Popen(["systemctl", "start", unit], stderr=subprocess.DEVNULL)
    said: "Any" = None
    while starter.poll() is None:
        told = progress()
        if told is not None and told != said:
            said = told
            _say(told)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(_PAUSE)


def _status() -> int:
    """Say the results of the latest runs, oldest first."""
    _say({"results": [places.load(path) for path in _results()[-_KEPT_RESULTS:]]})
    return 0


def _care(*jobs: str) -> int:
    """Care for every repository; what came of it stands in the results."""
    try:
        _say(care.care(*jobs))
    except care.Busy as problem:
        print(problem, file=sys.stderr)
        return _BUSY
    return 0


def _survey() -> int:
    """Say what the vault knows of its clients, and what it lacks of what is told on stdin."""
    _say(care.survey(json.load(sys.stdin)))
    return 0


def _accept(name: str, *what: str) -> int:
    """Accept what the vault's care refused: losses, or snapshots by their ids.

    For root of the vault alone; what it leads to is deletion.
    """
    if name not in vault.clients():
        _say({"why": "the vault has no repository of {}".format(name)})
        return 1
    if what == ("losses",):
        scrub.accept_losses(name)
        _say({"client": name, "accepted": "losses"})
        return 0
    if not what or not all(_SNAPSHOT.fullmatch(one) for one in what):
        _say({"why": "losses, or ids of snapshots"})
        return 1
    _say({"client": name, "accepted": retain.accept(name, what)})
    return 0


def _copy() -> int:
    """Pull a second copy from every vault; what came of it stands in the results."""
    try:
        _say(copying.copy())
    except copying.Busy as problem:
        print(problem, file=sys.stderr)
        return _BUSY
    return 0


def _copy_settle() -> int:
    """Keep from which vaults to pull, as is told on stdin, and try the ways."""
    told = json.load(sys.stdin)
    _say(places.ended(lambda: copying.settle(told)))
    return 0


def _copy_accept(name: str) -> int:
    """Let go of what a vault has lost; for root of this host alone."""
    _say({"vault": name, "accepted": copying.accept(name)})
    return 0


def _copy_status() -> int:
    """Say what came of the latest copies."""
    _say(copying.results())
    return 0


def _verify() -> int:
    """Prove the backup that is told on stdin."""
    try:
        way = restic.Vault.own()
        _say(verifying.Verification(way).go(json.load(sys.stdin)))
    except restic.Unreached as problem:
        _say({"state": "unreached", "unreached": str(problem)})
    except OSError as problem:
        _say({"state": "wrong", "files": 0, "bytes": 0, "problems": [str(problem)]})
    return 0


def _prove() -> int:
    """Open the repositories that are told on stdin, each with the password beside it."""
    for told in json.load(sys.stdin):
        _say({"client": told["client"], "why": vault.prove(told["client"], told["password"])})
    return 0


def _restore() -> int:
    """Restore what is told on stdin into a directory of its own."""
    try:
        _say(restoring.restore(json.load(sys.stdin)))
    except restoring.RestoreError as problem:
        _say({"state": "refused", "why": str(problem)})
    except restic.Unreached as problem:
        _say({"state": "unreached", "unreached": str(problem)})
    except (restic.ResticError, OSError) as problem:
        _say({"state": "failed", "why": str(problem)})
    return 0


def _why(unit: str) -> "Dict[str, str]":
    words = ["journalctl", "--unit", unit, "--lines", "3", "--output", "cat", "--no-pager"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    told = " ".join(done.stdout.decode("utf-8", "replace").split())
    return {"part": "", "why": told[-500:] or "the backup ended without a word"}


def _progress(run: str) -> "Optional[Any]":
    told = _loaded(places.PROGRESS)
    return told if told is not None and told["run"] == run else None


def _loaded(path: str) -> "Optional[Any]":
    try:
        return places.load(path)
    except FileNotFoundError:
        return None


def _results() -> "List[str]":
    try:
        names = sorted(os.listdir(places.RESULTS))
    except FileNotFoundError:
        return []
    return [os.path.join(places.RESULTS, name) for name in names if name.endswith(".json")]


def _forget_old() -> None:
    for path in _results()[:-_KEPT_RESULTS]:
        os.unlink(path)


def _say(told: "Any") -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()

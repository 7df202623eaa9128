"""AIDE on this host: look at every file, and compare with the database that was accepted.

Root of this host can change all of it. What counts is at the controller: it knows the digest of
the database that was accepted, keeps the database itself, and can compare with it.
"""

import base64
import hashlib
import os
import time
import zlib
from urllib.parse import unquote

from .. import places, running
from .entries import changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional

SETTINGS = "/etc/luytre-intrusion/aide.conf"
_PLACE = "/var/lib/luytre-intrusion/aide"
_ACCEPTED = _PLACE + "/accepted"
_NEW = _PLACE + "/new"
_RESULT = _PLACE + "/result.json"
_LOCK = "/run/luytre-intrusion/aide"
_RUNS = "/var/lib/luytre/runs"
_SECONDS = 4 * 3600
_MOST_CHANGES = 500
_OURS = ("path:", "dress:", "rights:")


def look() -> "Dict[str, Any]":
    """Look at every file; return and keep what is different from the accepted database."""
    with places.locked(_LOCK, wait=True):
        told = _looked()
        places.save(_RESULT, told)
    return told


def standing() -> "Dict[str, Any]":
    """Return the digest of the accepted database as it lies here, and the newest result."""
    try:
        result: "Optional[Any]" = places.load(_RESULT)
    except FileNotFoundError:
        result = None
    accepted = _read(_ACCEPTED)
    return {"database": _digest(accepted) if accepted is not None else "", "result": result}


def newest() -> "Dict[str, Any]":
    """Return the database of the newest look: its digest, itself packed, and how all stands."""
    told = standing()
    problem = told["result"]["problem"] if told["result"] else "it has never looked"
    whole = _read(_NEW) or b""
    packed = base64.b64encode(zlib.compress(whole)).decode("ascii")
    return dict(told, problem=problem, digest=_digest(whole), packed=packed)


def accept(told: "Dict[str, Any]") -> "Dict[str, Any]":
    """Keep a database as the accepted one, and compare with it."""
    whole = zlib.decompress(base64.b64decode(told["packed"]))
    places.directory(_PLACE)
    with places.locked(_LOCK, wait=True):
        places.write(_ACCEPTED, whole.decode("utf-8"))
        places.save(_RESULT, _compared(_digest(_read(_NEW) or b"")))
    return standing()


def _looked() -> "Dict[str, Any]":
    places.directory(_PLACE)
    try:
        running.output(["aide", "--init", "--config", SETTINGS], seconds=_SECONDS)
    except running.ProgramError as problem:
        return dict(_nothing(), problem=str(problem))
    return _compared(_digest(_read(_NEW) or b""))


def _compared(new: str) -> "Dict[str, Any]":
    """Return what is different between the accepted database and the new one."""
    accepted, now = _read(_ACCEPTED), _read(_NEW)
    if accepted is None or now is None:
        return dict(_nothing(), new=new)
    try:
        found = changes(accepted.decode("utf-8"), now.decode("utf-8"))
    except (ValueError, IndexError) as problem:
        return dict(_nothing(), new=new, problem=str(problem))
    ours = _of_our_runs() if found else {}
    shown = [dict(one, run=_run_of(one["path"], ours)) for one in found[:_MOST_CHANGES]]
    told = dict(_nothing(), database=_digest(accepted), new=new)
    return dict(told, changes=shown, total=len(found))


def _nothing() -> "Dict[str, Any]":
    return {"at": time.time(), "database": "", "new": "", "problem": "", "changes": [], "total": 0}


def _run_of(path: str, ours: "Dict[str, str]") -> str:
    """Return the run of ours whose journal names a path; empty where none does.

    A package's directory changes with its files, and so does what they were put into.
    """
    return ours.get(unquote(path), "")


def _of_our_runs() -> "Dict[str, str]":
    """Return by path the newest run whose journal names it, or a package that brought it."""
    found: "Dict[str, str]" = {}
    try:
        runs = sorted(os.listdir(_RUNS))
    except FileNotFoundError:
        return found
    for run in runs:
        for path in _touched(os.path.join(_RUNS, run)):
            found[path] = run
    return found


def _touched(run: str) -> "Iterator[str]":
    journal = _loaded(os.path.join(run, "journal.json"))
    for entry in journal.get("entries", ()):
        resource = str(entry["resource"])
        if resource.startswith(_OURS):
            yield resource.partition(":")[2]
    packages = _loaded(os.path.join(run, "packages.json"))
    before, after = packages.get("before", {}), packages.get("after", {})
    for name in set(before) | set(after):
        if before.get(name) != after.get(name):
            yield from _files_of(name)


def _files_of(package: str) -> "Iterator[str]":
    """Yield what a package has installed, as dpkg lists it."""
    name = package.partition(":")[0]
    for base in (package, name, name + ":" + _architecture()):
        listed = _read("/var/lib/dpkg/info/{}.list".format(base))
        if listed is not None:
            for line in listed.decode("utf-8", "replace").splitlines():
                yield line
                # As it lies where /bin, /lib and /sbin are links into /usr.
                yield "/usr" + line
            return


def _architecture() -> str:
    return running.output(["dpkg", "--print-architecture"])


def _loaded(path: str) -> "Dict[str, Any]":
    try:
        told = places.load(path)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _read(path: str) -> "Optional[bytes]":
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

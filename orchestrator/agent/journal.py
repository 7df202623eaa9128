"""The journal of a run: every resource as it was, on disk before the first change.

``before.json`` holds the resources as they were at begin, ``journal.json`` as they were when the
packages step was over. They differ only where a package brought a file along. ``objects/`` holds
contents by their SHA-256. All of it is root's alone: it holds copies of sensitive files.
"""

import os

from . import resources
from .runs import Run, private_directory, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Tuple

    from .host import Host

BEFORE = "before.json"
JOURNAL = "journal.json"
AFTER = "after.json"


def record(run: Run, name: str, touched: "Iterable[str]", host: "Host") -> "Dict[str, str]":
    """Capture resources into one of the run's files and return their digests (not keyed)."""
    entries, digests = [], {}
    for resource in touched:
        state, content = _captured(run, resource, host)
        entries.append({"resource": resource, "state": state})
        digests[resource] = resources.digest(state, content, b"")
    run.save(name, {"entries": entries})
    return digests


def extend(run: Run, touched: "Iterable[str]", host: "Host") -> None:
    """Capture into the journal what it does not hold yet."""
    found = entries(run, JOURNAL)
    known = {entry["resource"] for entry in found}
    for resource in touched:
        if resource not in known:
            known.add(resource)
            found.append({"resource": resource, "state": _captured(run, resource, host)[0]})
    run.save(JOURNAL, {"entries": found})


def entries(run: Run, name: str) -> "List[Dict[str, Any]]":
    """Return the captured resources of one of the run's files, in order; none if not written."""
    try:
        return run.load(name)["entries"]  # type: ignore[no-any-return]
    except FileNotFoundError:
        return []


def digests(run: Run, host: "Host") -> "Dict[str, str]":
    """Return the digests (not keyed) of the journaled resources as they are now."""
    touched = [entry["resource"] for entry in entries(run, JOURNAL)]
    return {r: resources.digest(*resources.capture(r, host), key=b"") for r in touched}


def content(run: Run, state: "Dict[str, Any]") -> bytes:
    """Return the content that a captured file had."""
    if "object" not in state:
        return b""
    with open(run.path("objects/" + state["object"]), "rb") as stream:
        return stream.read()


def brief(state: "Dict[str, Any]") -> str:
    """Return a captured state in a few words."""
    if "type" in state:
        return "{type} {object}".format(
            type=state["type"], object=state.get("object", "")[:12]
        ).strip()
    return ", ".join("{}={}".format(key, str(value)[:40]) for key, value in sorted(state.items()))


def ordered(controls: "Dict[str, Dict[str, str]]") -> "List[str]":
    """Return the resources of all changes, each once, in the order of declaration."""
    found: "Dict[str, None]" = {}
    for before in controls.values():
        for resource in before:
            found[resource] = None
    return list(found)


def stale(changes: "Dict[str, Dict[str, str]]", key: bytes, host: "Host") -> "List[str]":
    """Return the resources that are not as they were planned with; digests keyed with ``key``."""
    return [
        resource
        for before in changes.values()
        for resource, digest in before.items()
        if resources.digest(*resources.capture(resource, host), key=key) != digest
    ]


def _captured(run: Run, resource: str, host: "Host") -> "Tuple[Dict[str, Any], bytes]":
    state, content = resources.capture(resource, host)
    if state.get("type") == "file":
        private_directory(run.path("objects"))
        state["object"] = _store(run, content)
    return state, content


def _store(run: Run, data: bytes) -> str:
    from hashlib import sha256

    name = sha256(data).hexdigest()
    if not os.path.exists(run.path("objects/" + name)):
        write_private(run.path("objects/" + name), data)
    return name

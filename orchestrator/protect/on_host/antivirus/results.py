"""What came of the scans: kept by number, whatever the clock says, and told within bounds."""

import contextlib
import hashlib
import json
import os
import re

from .. import places
from . import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

_KEPT = 60
_TOLD = 30
# A controller takes 16 MiB of an answer.
_MOST_TOLD = 8 << 20
# Who nests directories makes paths without end, and may make many (bytes).
_LONGEST_PATH = 1000
_BEGINNING, _END = 600, 200
# Those of before that were named by their time sort in front of these.
_NAME = re.compile(r"scan-([0-9]{8})\.json")


def keep(result: "Dict[str, Any]") -> None:
    """Keep a result as the newest one; the oldest go."""
    places.directory(layout.RESULTS)
    known = [_NAME.fullmatch(os.path.basename(path)) for path in kept()]
    last = max((int(name.group(1)) for name in known if name), default=0)
    places.save(os.path.join(layout.RESULTS, "scan-{:08d}.json".format(last + 1)), result)
    for path in kept()[:-_KEPT]:
        os.unlink(path)


def kept() -> "List[str]":
    """Return where the results lie, the newest last."""
    try:
        names = sorted(name for name in os.listdir(layout.RESULTS) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    return [os.path.join(layout.RESULTS, name) for name in names]


def told() -> "Tuple[List[Dict[str, Any]], int]":
    """Return the newest results, the newest last, and how many of them were left off.

    Long paths are shortened, what went wrong is told of the newest one alone; those that cannot be
    read or would make an answer too large are left off.
    """
    found: "List[Dict[str, Any]]" = []
    room, asked = _MOST_TOLD, kept()[-_TOLD:]
    for path in reversed(asked):
        with contextlib.suppress(ValueError):
            result = _shortened(places.load(path), whole=path == asked[-1])
            room -= len(json.dumps(result))
            if room < 0:
                break
            found.append(result)
    return found[::-1], len(asked) - len(found)


def short(path: str) -> str:
    """Return a path that can be told; what was cut out of a long one, its digest stands for."""
    name = os.fsencode(path)
    if len(name) <= _LONGEST_PATH:
        return path
    digest = hashlib.sha256(name).hexdigest()[:16]
    beginning, end = os.fsdecode(name[:_BEGINNING]), os.fsdecode(name[-_END:])
    return "{}\u2026({} bytes, SHA-256 {})\u2026{}".format(beginning, len(name), digest, end)


def _shortened(result: "Dict[str, Any]", *, whole: bool) -> "Dict[str, Any]":
    problems = result["problems"] if whole else []
    large = result.get("too_large_paths", []) if whole else []
    return dict(
        result,
        detections=shortened(result["detections"]),
        problems=shortened(problems),
        too_large_paths=[short(path) for path in large],
    )


def shortened(found: "List[Dict[str, Any]]") -> "List[Dict[str, Any]]":
    """Return what was found with paths that can be told."""
    return [dict(one, path=short(one["path"])) for one in found]

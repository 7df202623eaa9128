"""``cron_jobs``: who but root may change what cron and at run as root.

Looked at are the tables, the programs and scripts that they name or find by PATH, and every
directory and link on the way to these. What belongs to somebody else is left to people: whoever
takes it from its owner also breaks what it is for.
"""

import stat

from .. import cron_tables
from ..host import Host
from ..resources import rights
from ..writable import Opening, Paths
from . import ByHand, Judgement, Proposal, Target, listed, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "files"

_EXPECTED = "only root may change what cron and at run as root"


class Found:
    """One place that others may change, and where it is named."""

    __slots__ = ("opening", "source")

    def __init__(self, opening: Opening, source: str) -> None:
        self.opening = opening
        self.source = source

    @property
    def told(self) -> str:
        """Return what is wrong, as text for people."""
        path, source = printable(self.opening.path), printable(self.source)
        return "{}: {} ({})".format(path, self.opening.told, source)


def observe(want: "Dict[str, Any]", host: Host) -> "List[Found]":
    """Return the places that others may change, each once, by their names."""
    return host.once("cron-jobs", lambda: _read(host))  # type: ignore[no-any-return]


def judge(want: "Dict[str, Any]", observed: "List[Found]") -> Judgement:
    """Return whether there are none."""
    told = listed([found.told for found in observed])
    return Judgement.of(not observed, _EXPECTED, told or "as wanted")


def propose(want: "Dict[str, Any]", observed: "List[Found]", target: Target) -> Proposal:
    """Return the permissions to change."""
    summary = "cron: takes everybody's right to write away: {}".format(
        listed([printable(found.opening.path) for found in observed])
    )
    return Proposal(summary, ["rights:" + found.opening.path for found in observed])


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what somebody was meant to change."""
    left = [found for found in observe(want, target.host) if not found.opening.everybody]
    if left:
        told = listed([found.told for found in left])
        raise ByHand("give it to root, or let its owner run it: {}".format(told))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Take everybody's right to write away; in a directory, the right to what others put there."""
    for found in observe(want, target.host):
        if found.opening.everybody and found.opening.is_directory:
            rights.change(found.opening.path, add=stat.S_ISVTX)
        elif found.opening.everybody:
            rights.change(found.opening.path, keep=0o7777 & ~stat.S_IWOTH)


def _read(host: Host) -> "List[Found]":
    paths = Paths()
    found: "Dict[str, Found]" = {}
    for path, source in cron_tables.files(host, paths.is_file):
        for opening in paths.openings(path):
            found.setdefault(opening.path, Found(opening, source))
    return [found[path] for path in sorted(found)]

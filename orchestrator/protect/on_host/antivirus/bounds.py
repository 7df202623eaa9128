"""What scans and loads signatures runs within the bounds of its slice, whoever asked for it."""

import os
import sys

from . import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

# So that a program that is called again knows that it is.
_INSIDE = "inside"
# As the unit of the nightly scan has them; the slice has the others.
_PROPERTIES = ("Nice=19", "OOMScoreAdjust=500", "OOMPolicy=continue")
_GROUPS = "/proc/self/cgroup"
_MOUNTED = "/sys/fs/cgroup"


def enter(arguments: "List[str]") -> None:
    """Begin again in a unit of its own; return at once where this is inside already.

    Input and output stay ours, and so does how it ends.
    """
    if _INSIDE in arguments:
        return
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--slice=" + layout.SLICE]
    words += ["--property=" + one for one in _PROPERTIES]
    words += [sys.executable, "-I", os.path.abspath(sys.argv[0]), *arguments, _INSIDE]
    sys.stdout.flush()
    os.execvp(words[0], words)


def killed() -> bool:
    """Return whether the kernel has killed a program of this unit for the memory that it took."""
    with open(_GROUPS, encoding="ascii", errors="replace") as file:
        lines = [line.strip().split(":", 2) for line in file]
    for _number, controllers, group in lines:
        name = "memory.events" if not controllers else "memory.oom_control"
        if controllers in ("", "memory") and _kills(_MOUNTED + _below(controllers) + group, name):
            return True
    return False


def _below(controllers: str) -> str:
    return "/" + controllers if controllers else ""


def _kills(group: str, name: str) -> int:
    """Return how many were killed in a group; it may not count them, or be out of sight."""
    try:
        with open(os.path.join(group, name), encoding="ascii") as file:
            told = dict(line.split() for line in file)
    except OSError:
        return 0
    return int(told.get("oom_kill", 0))

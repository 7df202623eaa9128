"""The dress of a file or directory alone: mode, owner, extended attributes, never the content.

Changes that leave the content alone are journaled as this: to restore the content as well would
take back what others wrote meanwhile (passwords in /etc/shadow, lines of a log).
"""

from ..host import Host, Unreadable
from . import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return mode, owner and attributes of a path, and what it is the dress ``of``."""
    state = path.look(key)
    state["of"] = state.pop("type")
    state.pop("mtime_ns", None)
    return state, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Dress the path as it was; raises Unreadable where something else stands there now."""
    present = path.look(key)["type"]
    if present != state["of"]:
        raise Unreadable("{}: is {}, was {}: not touched".format(key, present, state["of"]))
    if present in ("file", "directory"):
        path.redress(key, state)

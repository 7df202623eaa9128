"""Kernel parameters as they run (the files that set them at boot are paths)."""

import os

from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

ROOT = "/proc/sys/"


def location(key: str) -> str:
    """Return where /proc/sys holds a parameter; ``/`` and ``.`` may both separate its parts."""
    if "/" in key:
        return ROOT + key
    return ROOT + key.replace(".", "/")


def running(key: str, host: Host) -> "Optional[str]":
    """Return the value as it runs, white space folded, or None where the kernel has none."""
    try:
        data = host.read(location(key))
    except Unreadable:
        if not os.path.exists(location(key)):
            return None
        raise
    return None if data is None else " ".join(data.decode("ascii", "replace").split())


def set_running(key: str, value: str) -> None:
    """Write a value into the running kernel; raises OSError where it does not take it."""
    descriptor = os.open(location(key), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode() + b"\n")
    finally:
        os.close(descriptor)


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the running value of a parameter."""
    return {"value": running(key, host)}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Write the captured value back where it differs; a fresh kernel takes it from the files."""
    if host.booting or state["value"] is None:
        return
    if running(key, host) != state["value"]:
        set_running(key, state["value"])

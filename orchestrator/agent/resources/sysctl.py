"""Kernel parameters as they run (the files that set them at boot are paths)."""

import os

from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

ROOT = "/proc/sys/"


_SWAP = {ord("."): "/", ord("/"): "."}


def canonical(name: str) -> str:
    """Return a parameter's path below /proc/sys.

    sysctl.d(5): the separator that comes first, ``.`` or ``/``, separates the parts; the other one
    stands for the first inside a part (``net.ipv4.conf.eth0/100.forwarding``).
    """
    separators = [character for character in name if character in "./"]
    if separators[:1] == ["."]:
        name = name.translate(_SWAP)
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def location(key: str) -> str:
    """Return where /proc/sys holds a parameter."""
    return ROOT + canonical(key)


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

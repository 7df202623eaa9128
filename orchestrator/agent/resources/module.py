"""Kernel modules: whether one is loaded."""

from .. import modprobe
from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

_MODPROBE = "/usr/sbin/modprobe"


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return whether the kernel has a module loaded."""
    return {"loaded": modprobe.canonical(key) in modprobe.loaded(host)}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Load or unload the module as it was; at boot the kernel loads what it needs by itself."""
    if host.booting or capture(key, host)[0] == state:
        return
    if state["loaded"]:
        _run([_MODPROBE, "--", key], host)
    else:
        unload(key, host)


def unload(key: str, host: Host) -> None:
    """Unload a module and those that only it needed; raises Unreadable where it is in use."""
    _run([_MODPROBE, "-r", "--", key], host)
    host.forget()


def _run(argv: "list[str]", host: Host) -> None:
    completed = host.run(argv)
    if completed.status != 0:
        raise Unreadable("modprobe {}: {}".format(argv[-1], completed.complaint))

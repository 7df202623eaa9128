"""Mounts as they are now: whether a directory is one, and its nodev, nosuid, noexec and the like.

What is mounted at boot is written in files, which are paths. A mount is only ever made or taken
away for file systems in memory.
"""

from .. import mounts
from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Tuple

_MOUNT = "/usr/bin/mount"
_UMOUNT = "/usr/bin/umount"
# A remount sets these and clears those that are not named (mount(2), MS_REMOUNT with MS_BIND).
_OPPOSITES = {"nodev": "dev", "nosuid": "suid", "noexec": "exec"}


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the options of the mount at a directory, without those of its whole file system."""
    found = mounts.at(host, key)
    if found is None:
        return {"mounted": False, "options": ""}, b""
    return {"mounted": True, "options": ",".join(sorted(found.options.split(",")))}, b""


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Give the mount its options back; one that was not there is taken away.

    A mount that is in use is detached: whoever uses it keeps it until he is done.
    """
    present, _ = capture(key, host)
    if present == state:
        return
    if not state["mounted"]:
        _run([_UMOUNT, "--lazy", "--", key], host)
    elif present["mounted"]:
        set_options(key, state["options"].split(","), host)
    else:
        raise Unreadable("{}: nothing is mounted there any more".format(key))


def set_options(key: str, options: "Iterable[str]", host: Host) -> None:
    """Let a mount have exactly these options of its own; the file system's stay as they are."""
    wanted = list(options)
    wanted += [other for flag, other in _OPPOSITES.items() if flag not in wanted]
    _run([_MOUNT, "-o", ",".join(["remount", "bind", *wanted]), "--", key], host)
    host.forget()


def _run(argv: "list[str]", host: Host) -> None:
    completed = host.run(argv)
    if completed.status != 0:
        raise Unreadable("{}: {}".format(argv[-1], completed.complaint))

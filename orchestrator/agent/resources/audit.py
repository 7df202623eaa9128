"""The audit rules that the kernel has loaded, and the switches beside them."""

import os

from .. import audit_text, facts
from ..host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

AUDITCTL = "/sbin/auditctl"
_NONE = "No rules"
LOCKED = "2"


def loaded(host: Host) -> "Optional[Tuple[str, Dict[str, str]]]":
    """Return the kernel's rules as auditctl lists them, and its switches.

    None in containers: the kernel speaks of its rules only to its own host. Raises Unreadable where
    they cannot be read elsewhere.
    """
    if facts.in_container():
        return None
    if not os.path.exists(AUDITCTL):
        raise Unreadable("{}: missing".format(AUDITCTL))
    rules = host.expect([AUDITCTL, "-l"]).decode("utf-8", "surrogateescape")
    status = host.expect([AUDITCTL, "-s"]).decode("utf-8", "replace")
    switches = audit_text.switches_of_status(status)
    if "-e" not in switches:
        raise Unreadable("auditctl: its status cannot be understood")
    return ("" if rules.strip() == _NONE else rules), switches


def capture(key: str, host: Host) -> "Tuple[Dict[str, Any], bytes]":
    """Return the loaded rules and the switches; of a container, nothing."""
    found = loaded(host)
    if found is None:
        return {"switches": None}, b""
    return {"switches": found[1]}, found[0].encode("utf-8", "surrogateescape")


def restore(key: str, state: "Dict[str, Any]", content: bytes, host: Host) -> None:
    """Load the captured rules again; at boot, the files that were put back are loaded anyway.

    Raises Unreadable where they were locked meanwhile: only a reboot changes them.
    """
    wanted = state["switches"]
    if wanted is None or host.booting or capture(key, host) == (state, content):
        return
    found = loaded(host)
    if found is not None and found[1]["-e"] == LOCKED:
        raise Unreadable("the audit rules are locked until the next reboot")
    host.expect([AUDITCTL, "-D"])
    text = content.decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        host.expect([AUDITCTL, *line.split()])
    for option in ("-b", "-f", "-e"):
        if option in wanted:
            host.expect([AUDITCTL, option, wanted[option]])

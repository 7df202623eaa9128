"""Whether a host is as the journal of a run has it."""

import time

from . import journal, resources
from .host import Host, Unreadable
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

# What a boot that takes a run back compares: the rest comes up after it.
_FILES = ("path:", "dress:", "rights:")
# A daemon that was restarted with settings that it refuses runs for a moment before it ends.
_SETTLING_SECONDS = 3.0
_PAUSE_SECONDS = 0.1


def differences(run: Run, entries: "List[Dict[str, Any]]", host: Host) -> "List[str]":
    """Return the resources that are not as the journal has them, units after they have settled."""
    found = []
    deadline = time.monotonic() + _SETTLING_SECONDS
    for entry in entries:
        if host.booting and not entry["resource"].startswith(_FILES):
            continue
        try:
            different = differs(run, entry, host)
            while different and _may_settle(entry, host) and time.monotonic() < deadline:
                host.pause(_PAUSE_SECONDS)
                host.forget()
                different = differs(run, entry, host)
            if different:
                found.append("{} is not as it was".format(entry["resource"]))
        except (Unreadable, OSError) as problem:
            found.append("{}: {}".format(entry["resource"], problem))
    return found


def _may_settle(entry: "Dict[str, Any]", host: Host) -> bool:
    return entry["resource"].startswith("unit:") and not host.booting


def differs(run: Run, entry: "Dict[str, Any]", host: Host) -> bool:
    """Return whether a resource is not as the journal has it; packages are compared as a set."""
    if entry["resource"].startswith("package:"):
        return False
    state, content = resources.capture(entry["resource"], host)
    if resources.replaced(entry["resource"], entry["state"], state):
        return False
    wanted = dict(entry["state"])
    for told in (state, wanted):
        told.pop("load", None)
    kept = journal.content(run, entry["state"])
    return resources.digest(state, content, b"") != resources.digest(wanted, kept, b"")

"""What a host says of its updates: what waits, what is held, what has to be restarted."""

from . import facts, in_use, unattended, updates
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


# Of these, the packages have the versions of the source that was signed.
_SIGNED = {"linux-signed-" + each: "linux" for each in ("amd64", "arm64", "i386")}


def tell(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Return the updates that wait, and why that may not be the truth (``unknown``).

    Changes nothing and asks no source.
    """
    patterns = request["sources"]
    told: "Dict[str, Any]" = {"asked": updates.last_asked(), "updates": []}
    try:
        told["unknown"] = updates.why_unknown(host, patterns, request["days"])
        told["updates"] = [
            {key: getattr(each, key) for key in each.__slots__}
            for each in updates.pending(host, patterns)
        ]
    except Unreadable as problem:
        told["unknown"] = str(problem)
    told["by_itself"] = False
    try:
        told["by_itself"] = unattended.installs(host)
    except Unreadable as problem:
        told["unknown"] = told["unknown"] or str(problem)
    told["services"] = in_use.services(host)
    told["reboot"] = in_use.reboot_reason(host)
    told["sourced"] = _sources_of(told["updates"], host)
    return told


def _sources_of(waiting: "Any", host: Host) -> "Dict[str, str]":
    """Return, by package that waits, its source package, of which CVEs are told.

    Where that has a version of its own, nothing can be said by ours: it is left out.
    """
    names = {each["name"] for each in waiting}
    found = {}
    for lines in facts.paragraphs(facts.dpkg_status(host)):
        name = facts.dpkg_field(lines, b"\nPackage: ").decode("ascii", "replace")
        if name in names:
            source = facts.dpkg_field(lines, b"\nSource: ").decode("ascii", "replace")
            if "(" not in source:
                found[name] = _SIGNED.get(source, source) or name
    return found

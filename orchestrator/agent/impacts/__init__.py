"""Impacts: what a change takes from somebody who uses it now. Told by the plan, never guessed.

Modules are imported only to plan. For each kind that can have an impact, one of them offers
``of_KIND(want, observed, target)``, which returns (name, what happens) pairs and reads only; the
names are those of ``orchestrator.model.impact``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from ..kinds import Target

    Impact = Tuple[str, str]

_MODULES = {
    "accounts": "logins",
    "file": "bans",
    "nft": "firewall",
    "package": "services",
    "sshd": "logins",
    "sudo_rules": "sudo",
    "sysctl": "forwarding",
    "unit": "services",
}


def of(kind: str, want: "Dict[str, Any]", observed: "Any", target: "Target") -> "List[Impact]":
    """Return what converging one state would take away; raises Unreadable, never guesses."""
    if kind not in _MODULES:
        return []
    name = _MODULES[kind]
    found = getattr(__import__(__name__, fromlist=[name]), name)
    told: "List[Impact]" = getattr(found, "of_" + kind)(want, observed, target)
    return told

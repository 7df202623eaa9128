"""``package``: a Debian package that is installed, or that is not.

Ansible's apt module changes packages, between begin and converge; here they are read and proposed.
"""

from .. import facts
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

PHASE = "packages"


def observe(want: "Dict[str, Any]", host: Host) -> "Optional[str]":
    """Return the installed version, None where the package is not installed.

    Raises Unreadable where dpkg left it half way: it is neither.
    """
    state = facts.unfinished(host).get(want["name"])
    if state:
        raise Unreadable("dpkg left {} {}: dpkg --configure -a".format(want["name"], state))
    return facts.packages(host).get(want["name"])


def judge(want: "Dict[str, Any]", observed: "Optional[str]") -> Judgement:
    """Return whether the package is there, or gone, as wanted."""
    seen = "{} {}".format(want["name"], observed or "not installed")
    wanted = want["state"] == "installed"
    return Judgement.of(
        wanted is (observed is not None), "{} {}".format(want["name"], want["state"]), seen
    )


def propose(want: "Dict[str, Any]", observed: "Optional[str]", target: Target) -> Proposal:
    """Return the package to install or to remove."""
    name = want["name"]
    wanted = want["state"] == "installed"
    proposal = Proposal(
        "{} {}".format("install" if wanted else "remove", name), ["package:" + name]
    )
    if wanted:
        proposal.install = (name,)
    else:
        proposal.remove = (name,)
    return proposal


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave a package on hold to people; else apt simulates before it changes."""
    if want["state"] == "absent" and want["name"] in facts.held(target.host):
        raise ByHand("{0} is on hold: apt-mark unhold {0}".format(want["name"]))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Do nothing: the packages step has been before, removals come after confirm."""

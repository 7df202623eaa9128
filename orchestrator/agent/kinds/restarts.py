"""``restarts``: what runs of files that were replaced since it was started."""

from .. import in_use
from ..host import Host
from . import ByHand, Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "services"


def observe(want: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return the services that a restart brings up to date, or why this host has to be rebooted."""
    if want["rule"] == "services":
        return in_use.services(host)
    reason = in_use.reboot_reason(host)
    return [reason] if reason else []


def judge(want: "Dict[str, Any]", observed: "List[str]") -> Judgement:
    """Return whether nothing waits for a restart."""
    waits = listed(observed) if observed else "nothing waits"
    return Judgement.of(not observed, _WORDS[want["rule"]], waits)


def propose(want: "Dict[str, Any]", observed: "List[str]", target: Target) -> Proposal:
    """Return the services to restart, which is all that is done."""
    verbs = ["restart {}".format(unit) for unit in observed]
    return Proposal("restart {}".format(listed(observed, ", ")), activate=verbs)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people when a server is down, and restarts that nobody asked for."""
    if want["rule"] == "reboot":
        raise ByHand("luytre patch reboot")
    if not target.named:
        raise ByHand("luytre patch apply")


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Do nothing: services are restarted with all that is activated."""


_WORDS = {
    "services": "services use the files that are installed",
    "reboot": "no reboot is needed",
}

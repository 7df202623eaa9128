"""``boot_parameter``: what the kernel was started with, and will be; judged only.

The menu is generated; what a wrong one costs is a host that does not start.
"""

from .. import conditions, grub
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target
from .boot_password import MAIN, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "kernel"

_RUNNING = "/proc/cmdline"
_MISSING = "(not set)"
_DECISION = "set it in GRUB_CMDLINE_LINUX of /etc/default/grub, run update-grub and reboot"


def observe(want: "Dict[str, Any]", host: Host) -> "Dict[str, Dict[str, str]]":
    """Return the parameters by place: of the running kernel and of every entry of the menu."""
    running = host.read(_RUNNING)
    if running is None:
        raise Unreadable("{}: missing".format(_RUNNING))
    found = {_RUNNING: grub.parameters(running.decode("utf-8", "replace"))}
    for number, parameters in grub.kernels(text(host)):
        found["{}, line {}".format(MAIN, number)] = parameters
    if len(found) == 1:
        raise Unreadable("{}: starts no kernel".format(MAIN))
    return found


def judge(want: "Dict[str, Any]", observed: "Dict[str, Dict[str, str]]") -> Judgement:
    """Return whether the parameters are as wanted everywhere."""
    wanted = ["{} {}".format(name, conditions.describe(each)) for name, each in want.items()]
    bad = _wrong(want, observed)
    shown = "; ".join(bad[:10]) or "everywhere as wanted"
    return Judgement.of(not bad, "; ".join(wanted), shown)


def propose(
    want: "Dict[str, Any]", observed: "Dict[str, Dict[str, str]]", target: Target
) -> Proposal:
    """Refuse: who can reach the console does this."""
    raise ByHand("{}: {}".format("; ".join(_wrong(want, observed)[:10]), _DECISION))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what a host is started with."""
    propose(want, observe(want, target.host), target)


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse: who can reach the console does this."""
    validate(want, target)


def _wrong(want: "Dict[str, Any]", observed: "Dict[str, Dict[str, str]]") -> "List[str]":
    found = []
    for place, parameters in observed.items():
        for name, condition in want.items():
            value = parameters.get(name, _MISSING)
            if not conditions.meets(condition, value):
                found.append("{} {} ({})".format(name, value, place))
    return found

"""``boot_password``: who changes what GRUB starts is asked for a password; judged only."""

from .. import grub
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

PHASE = "kernel"

# Debian's 41_custom reads the second one at the end of the first.
MAIN, CUSTOM = "/boot/grub/grub.cfg", "/boot/grub/custom.cfg"
_DECISION = "choose a password (grub-mkpasswd-pbkdf2), keep it, and run update-grub"


def observe(want: "Dict[str, Any]", host: Host) -> str:
    """Return what is wrong, empty where nothing is."""
    users, hashed = grub.guarded(text(host) + "\n" + _text(host, CUSTOM))
    if not users:
        return "no superuser: everybody may change the menu"
    left = [user for user in users if user not in hashed]
    return "no hashed password: {}".format(", ".join(left)) if left else ""


def judge(want: "Dict[str, Any]", observed: str) -> Judgement:
    """Return whether the menu is guarded."""
    return Judgement.of(not observed, "GRUB asks for a password", observed or "it does")


def propose(want: "Dict[str, Any]", observed: str, target: Target) -> Proposal:
    """Refuse: the password is people's."""
    raise ByHand("{}: {}".format(observed, _DECISION))


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave the password to people."""
    raise ByHand("{}: {}".format(observe(want, target.host), _DECISION))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse: the password is people's."""
    validate(want, target)


def text(host: Host) -> str:
    """Return GRUB's configuration; raises Unreadable where another boot loader is at work."""
    found = _text(host, MAIN)
    if not found:
        raise Unreadable("{}: missing".format(MAIN))
    return found


def _text(host: Host, place: str) -> str:
    return (host.read(place) or b"").decode("utf-8", "replace")

"""``updates``: what apt has newer than what is installed.

Packages change between begin and converge, as with the kind ``package``. A plan of a whole profile
leaves updates alone: they are installed where their control was asked for by name.
"""

from .. import facts, updates
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

PHASE = "packages"
_UPGRADE = ("upgrade", ("--with-new-pkgs",))


def observe(want: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return the updates that the rule speaks of, each as a line with both versions.

    Raises Unreadable where nobody knows what waits: sources that were not asked for too long, whose
    word has expired, or of which none is known to mend security.
    """
    return [str(update) for update in _waiting(want, host)]


def judge(want: "Dict[str, Any]", observed: "List[str]") -> Judgement:
    """Return whether no such update waits."""
    return Judgement.of(
        not observed, _WORDS[want["rule"]], listed(observed) if observed else "none waits"
    )


def propose(want: "Dict[str, Any]", observed: "List[str]", target: Target) -> Proposal:
    """Return the packages to bring up to date."""
    coming, kept_back = _possible(want, target.host)
    told = [str(update) for update in coming]
    if kept_back:
        told.append("kept back by apt: {}".format(", ".join(kept_back)))
    summary = "bring up to date, and restart what uses them: {}".format(listed(told))
    proposal = Proposal(summary, ["package:" + update.name for update in coming])
    proposal.install = tuple(update.name for update in coming)
    return proposal


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what is on hold, and updates that nobody asked for."""
    if want["rule"] == "held":
        held = [update.name for update in _waiting(want, target.host)]
        raise ByHand("on hold: {}: apt-mark unhold".format(", ".join(held)))
    if not target.named:
        raise ByHand("luytre patch apply")
    if target.host.named is None:
        return  # planned before: what apt keeps back was told then
    coming, kept_back = _possible(want, target.host)
    if not coming:
        raise ByHand("kept back by apt: {}".format(", ".join(kept_back)))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Do nothing: what was agreed on is installed by now, and what came up since is of later."""


def _possible(want: "Dict[str, Any]", host: Host) -> "Tuple[List[updates.Update], List[str]]":
    """Return the updates that apt would install now, and the names of those that it keeps back.

    One that needs a package on hold, or another one gone, must not stand in the way of the others.
    """
    from .. import packages  # an audit comes without it

    waiting = _waiting(want, host)
    coming = host.once("upgradable", lambda: set(packages.simulate(*_UPGRADE, host)[0]))
    return (
        [update for update in waiting if update.name in coming],
        [update.name for update in waiting if update.name not in coming],
    )


def _waiting(want: "Dict[str, Any]", host: Host) -> "List[updates.Update]":
    """Return the updates that the rule speaks of: on hold or not, all or those for security."""
    rule, patterns = want["rule"], want["sources"]
    if rule == "held" and not facts.held(host):
        return []
    why = updates.why_unknown(host, patterns, want["days"])
    if why:
        raise Unreadable("it is not known what waits: {}".format(why))
    return [
        update
        for update in updates.pending(host, patterns)
        if update.held is (rule == "held") and (update.security or rule == "all")
    ]


_WORDS = {
    "security": "every update that mends security is installed",
    "all": "every update is installed",
    "held": "no update that mends security is on hold",
}

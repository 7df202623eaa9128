"""``pam``: a module has its place in PAM's common stacks, and what it says counts."""

from .. import facts, pam_profiles, pam_rules
from ..host import Host
from ..keyed import shown
from ..keyed.pam import services
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, root_file, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "accounts"

# Debian's packages whose profiles bring modules that libpam-modules does not.
_PACKAGES = {"pam_pwquality": "libpam-pwquality"}


def observe(want: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return what is wrong with the module's place."""
    stacks = host.once("pam-stacks", lambda: pam_rules.stacks(services(host)))
    return pam_rules.wrong(want["module"], stacks)


def judge(want: "Dict[str, Any]", observed: "List[str]") -> Judgement:
    """Return whether nothing is wrong with it."""
    expected = "{} works in PAM's common stacks".format(want["module"])
    return Judgement.of(not observed, expected, ", ".join(observed) or "it does")


def propose(want: "Dict[str, Any]", observed: "List[str]", target: Target) -> Proposal:
    """Return the profiles to enable and what pam-auth-update makes of them."""
    module = want["module"]
    names = ", ".join(pam_profiles.WANTED[module])
    resources = ["path:" + place for place in pam_profiles.places(module)]
    diff = ""
    if not _is_coming(module, target.host):
        for place, data in _tried(module, target.host).items():
            if place in pam_profiles.COMMON:
                before = target.host.read(place) or b""
                diff += unified(place, _text(before), _text(data))
    return Proposal("pam-auth-update enables {}".format(names), resources, (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what they changed in the common files themselves."""
    if _is_coming(want["module"], target.host):
        _tried("pam_unix", target.host)  # the profile of the module is not there to be tried yet
    else:
        _future(want["module"], target.host)


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write what pam-auth-update made, once it was seen to let people in."""
    for place, data in _future(want["module"], target.host).items():
        if target.host.read(place) != data:
            path.rewrite(place, data, root_file())


def _future(module: str, host: Host) -> "Dict[str, bytes]":
    """Return the files as they would be; raises ByHand where the module would not work in them."""
    made = _tried(module, host)
    texts = dict(services(host))
    for place in pam_profiles.COMMON:
        texts[place] = made[place].decode("utf-8", "surrogateescape")
    stacks = pam_rules.stacks(texts)
    problems = pam_rules.wrong(module, stacks)
    problems += ["nobody gets through {}".format(t) for t in pam_rules.broken(stacks)]
    if problems:
        raise ByHand("pam-auth-update alone cannot mend it: {}".format(", ".join(problems)))
    return made


def _tried(module: str, host: Host) -> "Dict[str, bytes]":
    """Return what pam-auth-update makes of the files; raises ByHand where it leaves them alone."""
    try:
        return pam_profiles.tried(module, host)
    except pam_profiles.Kept:
        told = "the common files of PAM were changed by hand, and pam-auth-update leaves them alone"
        raise ByHand(told) from None


def _is_coming(module: str, host: Host) -> bool:
    """Return whether the package of a module is still to be installed, by the same control."""
    package = _PACKAGES.get(module)
    return package is not None and package not in facts.packages(host)


def _text(data: bytes) -> str:
    return shown(data.decode("utf-8", "surrogateescape"))

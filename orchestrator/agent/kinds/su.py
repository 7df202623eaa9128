"""``su``: who may become another user with su (pam_wheel, asked before any password)."""

import os

from .. import accounts, pam_stack
from ..host import Host
from ..keyed.pam import services
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from ..pam_stack import Line

PHASE = "accounts"

_SERVICE, _PLACE = "su", "/etc/pam.d/su"
_WHEEL, _ROOT = "pam_wheel", "pam_rootok"


def observe(want: "Dict[str, Any]", host: Host) -> "List[str]":
    """Return what is wrong, as text for people."""
    problems = []
    rules = pam_stack.stack(services(host), _SERVICE, "auth")
    if pam_stack.run(rules, _outsider(want["group"]))[0] == pam_stack.SUCCESS:
        problems.append("su lets everybody with the password in")
    members = _members(want["group"], host)
    if members is None:
        problems.append("there is no group {}".format(want["group"]))
    else:
        allowed = _names(want)
        problems += ["{} is in it".format(name) for name in members if name not in allowed]
    return problems


def judge(want: "Dict[str, Any]", observed: "List[str]") -> Judgement:
    """Return whether nobody else may use su."""
    told = ", ".join(_names(want)) or "nobody"
    expected = "su only for root and the group {}: {}".format(want["group"], told)
    return Judgement.of(not observed, expected, ", ".join(observed) or "as wanted")


def propose(want: "Dict[str, Any]", observed: "List[str]", target: Target) -> Proposal:
    """Return the rule to write."""
    before, after = _future(want, target.host)
    diff = unified(_PLACE, before, after)
    summary = "su: only root and the group {}".format(want["group"])
    return Proposal(summary, ["path:" + os.path.realpath(_PLACE)], (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people whom the group should hold, and a su that is set up in an odd way."""
    texts = dict(services(target.host))
    texts[_PLACE] = _future(want, target.host)[1]
    rules = pam_stack.stack(texts, _SERVICE, "auth")
    if pam_stack.run(rules, _outsider(want["group"]))[0] == pam_stack.SUCCESS:
        raise ByHand("{} decides before pam_wheel is asked: correct it there".format(_PLACE))
    left = [told for told in observe(want, target.host) if not told.startswith("su lets")]
    if left:
        told = "decide who may use su, and put them into the group"
        raise ByHand("{}: {}".format(", ".join(left), told))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Write the rule, behind the one that lets root through."""
    text = _future(want, target.host)[1]
    path.rewrite(os.path.realpath(_PLACE), text.encode("utf-8", "surrogateescape"))


def _future(want: "Dict[str, Any]", host: Host) -> "Tuple[str, str]":
    """Return the text of su's file before and after."""
    texts = services(host)
    if _PLACE not in texts:
        raise ByHand("{}: missing".format(_PLACE))
    before = texts[_PLACE]
    lines = before.split("\n")
    rules = [line for line in pam_stack.lines(texts, _PLACE) if line.type == "auth"]
    root = [line.number for line in rules if line.module == _ROOT]
    at = root[0] if root else 0
    words = ["auth", "required", "pam_wheel.so", "use_uid", "group=" + str(want["group"])]
    lines.insert(at, "\t".join(words))
    return before, "\n".join(lines)


def _outsider(group: str) -> "Any":
    """Return what modules say of a user outside of the group who knows the password."""

    def says(line: "Line") -> str:
        if line.module == _WHEEL:
            right = line.has("use_uid") and "group=" + group in line.arguments
            refused = right and not line.has("trust") and not line.has("deny")
            return pam_stack.REFUSALS["auth"] if refused else "ignore"
        wrong = line.module in (_ROOT, "pam_deny") or line.has("authfail")
        return pam_stack.REFUSALS["auth"] if wrong else pam_stack.SUCCESS

    return says


def _members(group: str, host: Host) -> "Any":
    """Return who is in a group, root apart; None where there is no such group."""
    known = accounts.accounts(host)
    found = [each for each in known.groups if each.name == group]
    if not found:
        return None
    gids = {each.gid for each in found}
    names = [name for each in found for name in each.members]
    names += [user.name for user in known.users if user.gid in gids]
    return sorted({name for name in names if name != "root"})


def _names(want: "Dict[str, Any]") -> "List[str]":
    named = want.get("members", [])
    return [named] if isinstance(named, str) else list(named)

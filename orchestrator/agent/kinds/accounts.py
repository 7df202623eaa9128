"""``accounts``: what the host's users, groups and passwords must keep to."""

from .. import account_rules
from .. import accounts as files
from ..host import Host
from ..resources import account
from . import ByHand, Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    Offenders = List[Tuple[str, str]]

PHASE = "accounts"

_NO_SHELL = "/usr/sbin/nologin"
# shadow(5): the number of each field.
_FIELDS = {"minimum": 3, "maximum": 4, "warning": 5, "inactive": 6}


def observe(want: "Dict[str, Any]", host: Host) -> "Offenders":
    """Return who breaks the rule, and how."""
    return _rule(want).find(files.accounts(host), want)


def judge(want: "Dict[str, Any]", observed: "Offenders") -> Judgement:
    """Return whether nobody breaks the rule."""
    return Judgement.of(not observed, _rule(want).words.format(**want), _shown(observed))


def propose(want: "Dict[str, Any]", observed: "Offenders", target: Target) -> Proposal:
    """Return the accounts that are changed."""
    names = [name for name, _how in observed]
    summary = "accounts: {}: {}".format(_rule(want).mend, ", ".join(names))
    return Proposal(summary, ["account:" + name for name in names])


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what needs a decision."""
    rule = _rule(want)
    if not rule.mend:
        raise ByHand("{}: {}".format(_shown(observe(want, target.host)), rule.decision))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Change every account that breaks the rule."""
    mend = _rule(want).mend
    known = files.accounts(target.host)
    for name, _how in observe(want, target.host):
        account.change(name, _change(mend, want, known.passwords[name]), target.host)


def _change(
    mend: str, want: "Dict[str, Any]", password: files.Password
) -> "Dict[Tuple[str, int], str]":
    if mend == "lock":
        return {(files.SHADOW, 1): "!" + password.hash}
    if mend == "no_shell":
        return {(files.PASSWD, 6): _NO_SHELL}
    return {(files.SHADOW, _FIELDS[mend]): str(want["days"])}


def _rule(want: "Dict[str, Any]") -> account_rules.Rule:
    return account_rules.RULES[want["rule"]]


def _shown(observed: "Offenders") -> str:
    shown = ["{} ({})".format(name, how) for name, how in observed]
    return listed(shown, ", ") or "nobody breaks it"

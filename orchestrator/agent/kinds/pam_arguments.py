"""``pam_arguments``: what a PAM module is told in the rules that name it.

What is forbidden is so in every service; what is asked for is so in the common stack.
"""

import os

from .. import pam_rules, pam_stack
from ..host import Host
from ..keyed import changeable, shown
from ..keyed.pam import services
from ..resources import path
from . import ByHand, Judgement, Proposal, Target, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from ..pam_stack import Line

PHASE = "accounts"

# pam_unix(8): of several, the last one counts.
_HASHES = ("md5", "bigcrypt", "sha256", "sha512", "blowfish", "gost_yescrypt", "yescrypt")
_TAKES_GIVEN = "use_authtok"
_SHOWN = 10


class Rule:
    """One rule that names the module: where, in the common stack or not, who asks first."""

    __slots__ = ("asks", "common", "line")

    def __init__(self, line: "Line", common: bool, asks: bool) -> None:
        self.line = line
        self.common = common
        self.asks = asks


def observe(want: "Dict[str, Any]", host: Host) -> "List[Rule]":
    """Return the rules of the wanted type that name the module, in every service."""
    texts = services(host)
    stacks = host.once("pam-stacks", lambda: pam_rules.stacks(texts))
    found = [
        Rule(line, True, pam_rules.asks_itself(line, stacks))
        for line in stacks[want["type"]]
        if line.module == want["module"]
    ]
    common = {(rule.line.place, rule.line.number) for rule in found}
    for place in sorted(texts):
        if want["module"] in texts[place]:
            for line in pam_stack.lines(texts, place):
                here = (line.place, line.number)
                named = line.module == want["module"] and line.type == want["type"]
                if named and here not in common:
                    found.append(Rule(line, False, False))
    return found


def judge(want: "Dict[str, Any]", observed: "List[Rule]") -> Judgement:
    """Return whether every rule is as wanted; where none is concerned, it does not apply."""
    expected = "{} {}: {}".format(want["type"], want["module"], _wanted(want))
    concerned = [rule for rule in observed if _concerns(want, rule)]
    if not concerned:
        told = "it asks for the password itself" if observed else "no rule names it"
        return Judgement("not_applicable", expected, told)
    bad = [rule for rule in concerned if _wrong(want, rule)]
    shown_rules = [_told(rule) for rule in (bad or concerned)[:_SHOWN]]
    return Judgement.of(not bad, expected, "; ".join(shown_rules))


def propose(want: "Dict[str, Any]", observed: "List[Rule]", target: Target) -> Proposal:
    """Return the files whose rules change."""
    before = services(target.host)
    after = _rewritten(want, target.host)
    diff = "".join(unified(p, shown(before[p]), shown(text)) for p, text in after.items())
    summary = "{} {}: {} in {}".format(
        want["type"], want["module"], _wanted(want), ", ".join(after)
    )
    return Proposal(summary, ["path:" + os.path.realpath(place) for place in after], (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave to people what a package brought."""
    for place in _rewritten(want, target.host):
        if not changeable(os.path.realpath(place)):
            raise ByHand("{}: a package's file: make a changed copy of it in /etc".format(place))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Change the arguments in place: pam-auth-update keeps such changes."""
    for place, text in _rewritten(want, target.host).items():
        path.rewrite(os.path.realpath(place), text.encode("utf-8", "surrogateescape"))


def _concerns(want: "Dict[str, Any]", rule: Rule) -> bool:
    """Return whether a rule is one to judge: who asks first cannot take what others asked for."""
    if "without" in want:
        return True
    return rule.common and not (rule.asks and _TAKES_GIVEN in _names(want, "with"))


def _wrong(want: "Dict[str, Any]", rule: Rule) -> bool:
    missing = any(not rule.line.has(name) for name in _names(want, "with"))
    forbidden = any(rule.line.has(name) for name in _names(want, "without"))
    return missing or forbidden or ("hash" in want and _hash(rule) not in _names(want, "hash"))


def _hash(rule: Rule) -> str:
    named = [argument for argument in rule.line.arguments if argument in _HASHES]
    return named[-1] if named else ""


def _rewritten(want: "Dict[str, Any]", host: Host) -> "Dict[str, str]":
    """Return the texts that change, by place."""
    texts = services(host)
    after: "Dict[str, str]" = {}
    bad = [r for r in observe(want, host) if _concerns(want, r) and _wrong(want, r)]
    # From the end of each file, so that what stands before stays where it is.
    for rule in sorted(bad, key=lambda rule: -rule.line.number):
        place = rule.line.place
        after[place] = _changed(want, rule, after.get(place, texts[place]))
    return after


def _changed(want: "Dict[str, Any]", rule: Rule, text: str) -> str:
    """Return a file's text with the arguments of one rule as wanted."""
    gone = _names(want, "without")
    coming = [name for name in _names(want, "with") if not rule.line.has(name)]
    if "hash" in want and _hash(rule) not in _names(want, "hash"):
        gone = gone + list(_HASHES)
        coming.append(_names(want, "hash")[0])
    words = rule.line.words
    end = words[-1][1][1]
    text = text[:end] + "".join(" " + name for name in coming) + text[end:]
    for word, (start, stop) in reversed(words[3:]):
        if word.strip("[]").partition("=")[0] in gone:
            text = text[:start].rstrip(" \t") + text[stop:]
    return text


def _wanted(want: "Dict[str, Any]") -> str:
    parts = ["with " + " and ".join(_names(want, "with"))] if "with" in want else []
    if "without" in want:
        parts.append("without " + " and ".join(_names(want, "without")))
    if "hash" in want:
        parts.append("with " + " or ".join(_names(want, "hash")))
    return ", ".join(parts)


def _told(rule: Rule) -> str:
    return "{} ({})".format(" ".join(rule.line.arguments) or "no arguments", rule.line.told)


def _names(want: "Dict[str, Any]", key: str) -> "List[str]":
    names = want.get(key, [])
    return [names] if isinstance(names, str) else list(names)

"""PAM's stacks as they are included by each other, and what becomes of a login in them. Pure."""

from .host import Unreadable
from .keyed.pam import DIRECTORIES, entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Optional, Tuple

    from .keyed.pam import Word

    Outcome = Callable[["Line"], str]

TYPES = ("auth", "account", "password", "session")
SUCCESS = "success"
# What the modules of a type say when they refuse (pam_authenticate(3), pam_chauthtok(3) …).
REFUSALS = {
    "auth": "auth_err",
    "account": "perm_denied",
    "password": "authtok_err",
    "session": "session_err",
}
# pam.conf(5): what the words in place of brackets mean.
_KEYWORDS = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}
# libpam's _PAM_INCLUDE_MAX_DEPTH is 32.
_DEPTH = 32
_DIGITS = set("0123456789")
# More rules than any stack has; Python reads numbers of a few thousand digits only.
_MOST_DIGITS = 9
COMMON = "common-"


class Line:
    """One rule: its control, module (without directories and .so), arguments, and its place.

    A substack is a line with the rules of its own in ``inner``.
    """

    __slots__ = ("arguments", "control", "inner", "module", "number", "place", "type", "words")

    def __init__(self, type_: str, place: str, number: int, words: "List[Word]") -> None:
        self.type = type_
        self.place = place
        self.number = number
        self.words = words
        self.control = words[1][0]
        self.module = words[2][0].rpartition("/")[2]
        if self.module.endswith(".so"):
            self.module = self.module[:-3]
        self.arguments = [word.strip("[]") for word, _ in words[3:]]
        self.inner: "Optional[List[Line]]" = None

    def has(self, name: str) -> bool:
        """Return whether an argument is given, with or without a value."""
        return any(argument.partition("=")[0] == name for argument in self.arguments)

    @property
    def told(self) -> str:
        """Return where the rule stands, as text for people."""
        return "{}, line {}".format(self.place, self.number)


def lines(texts: "Dict[str, str]", place: str) -> "Iterator[Line]":
    """Yield the rules of one file, includes among them as they are written."""
    text = texts[place]
    for words in entries(text):
        if len(words) > 2 and words[0][0].lstrip("-") in TYPES:
            number = text.count("\n", 0, words[0][1][0]) + 1
            yield Line(words[0][0].lstrip("-"), place, number, words)


def stack(texts: "Dict[str, str]", service: str, type_: str, depth: int = 0) -> "List[Line]":
    """Return the rules of one type that a service goes through, includes resolved.

    Raises Unreadable where an included file is missing, or includes itself.
    """
    place = _place(texts, service)
    if place is None or depth > _DEPTH:
        raise Unreadable("PAM: {}: {}".format(service, "missing" if place is None else "too deep"))
    found: "List[Line]" = []
    text = texts[place]
    for words in entries(text):
        head = [word for word, _ in words]
        if head[:1] == ["@include"] and len(head) > 1:
            found += stack(texts, head[1], type_, depth + 1)
        elif len(head) > 2 and head[0].lstrip("-") == type_:
            if head[1] == "include":
                found += stack(texts, head[2], type_, depth + 1)
                continue
            number = text.count("\n", 0, words[0][1][0]) + 1
            line = Line(type_, place, number, words)
            if head[1] == "substack":
                line.inner = stack(texts, head[2], type_, depth + 1)
            found.append(line)
    return found


def run(rules: "List[Line]", says: "Outcome") -> "Tuple[str, List[Line]]":
    """Return how a stack ends and which rules were asked, in order.

    ``says`` gives what each module returns. libpam/pam_dispatch.c: the first refusal counts, no
    word at all is a refusal, ``die`` and ``done`` end the stack, a number skips rules.
    """
    asked: "List[Line]" = []
    status, refused = "", False
    index = 0
    while index < len(rules):
        rule = rules[index]
        index += 1
        told, inner = (says(rule), [rule]) if rule.inner is None else run(rule.inner, says)
        asked += inner
        action = action_of("required" if rule.inner is not None else rule.control, told)
        if action and set(action) <= _DIGITS:
            index += int(action[:_MOST_DIGITS])
        elif action == "reset":
            status, refused = "", False
        elif action != "ignore" and not refused:
            status, refused = told, action in ("bad", "die")
        if action == "die" or (action == "done" and not refused):
            break
    return status or "perm_denied", asked


def action_of(control: str, told: str) -> str:
    """Return what a rule's control makes of what its module returned."""
    if not control.startswith("["):
        actions = _KEYWORDS.get(control.lower(), _KEYWORDS["required"])
    else:
        pairs = [each.partition("=") for each in control.strip("[]").split()]
        actions = {name: action for name, _, action in pairs}
    return actions.get(told, actions.get("default", "bad"))


def _place(texts: "Dict[str, str]", service: str) -> "Optional[str]":
    places = [service] if service[:1] == "/" else ["{}/{}".format(d, service) for d in DIRECTORIES]
    return next((place for place in places if place in texts), None)

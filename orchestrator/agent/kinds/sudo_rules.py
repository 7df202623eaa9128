"""``sudo_rules``: who may become root without a password.

Rules are taken as sudo's own parser resolves them. To mend one, the tag is changed in the file in
which it stands; rules that this could not mend without taking somebody's only way are left to
people.
"""

from .. import accounts, sudoers
from ..host import Host
from ..resources import path
from . import ByHand, Invalid, Judgement, Proposal, Target, listed, unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

PHASE = "accounts"

_TAG = "NOPASSWD"
# sudoers(5): these begin lines that are no rules.
_NO_RULES = ("Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias")
_INCLUDES = ("@include", "#include", "@includedir", "#includedir")
_DEPTH = 128  # sudoers(5): how deep include may go


def observe(want: "Dict[str, Any]", host: Host) -> "List[sudoers.Rule]":
    """Return the rules by which somebody needs no password."""
    return [rule for rule in sudoers.policy(host).rules if rule.password is False]


def judge(want: "Dict[str, Any]", observed: "List[sudoers.Rule]") -> Judgement:
    """Return whether only the exempt users need no password."""
    exempt = exempt_users(want)
    loose = [rule for rule in observed if other_users(rule, exempt)]
    shown = ["{}: {}".format(", ".join(rule.users), ", ".join(rule.commands)) for rule in loose]
    expected = "without a password only: {}".format(", ".join(exempt) or "nobody")
    return Judgement.of(not loose, expected, listed(shown) or "nobody else")


def propose(want: "Dict[str, Any]", observed: "List[sudoers.Rule]", target: Target) -> Proposal:
    """Return the files whose rules lose the tag."""
    edits = _edits(want, target.host)
    diff = "".join(unified(place, before, after) for place, before, after in edits)
    places = [place for place, _before, _after in edits]
    summary = "sudo asks for a password: {}".format(", ".join(places))
    return Proposal(summary, ["path:" + place for place in places], (), diff)


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Refuse what visudo refuses; leave to people who would lose sudo, and what is not found."""
    host = target.host
    exempt = exempt_users(want)
    for rule in observe(want, host):
        locked = [user for user in other_users(rule, exempt) if _has_no_password(user, host)]
        if locked:
            told = "{} would lose sudo: no password is set; set one, or exempt it"
            raise ByHand(told.format(", ".join(locked)))
    edits = _edits(want, host)
    if not edits:
        raise ByHand("the rule could not be found in the files: change it with visudo")
    for place, _before, after in edits:
        complaint = sudoers.complaint(after, host)
        if complaint:
            raise Invalid("visudo refuses {}: {}".format(place, complaint))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Change the tag where it stands."""
    for place, _before, after in _edits(want, target.host):
        path.rewrite(place, after.encode("utf-8", "surrogateescape"))


def without_tag(text: str, exempt: "Tuple[str, ...]") -> str:
    """Return a sudoers file in which every rule asks for a password, but those of exempt users.

    Lines that go on (a backslash at the end) belong to the rule that they go on from.
    """
    kept: "List[str]" = []
    rule = False
    continued = False
    for line in text.splitlines(True):
        words = line.split(None, 1)
        if not continued:
            users = _users(line)
            rule = bool(words) and not _is_other(words[0]) and not set(users) <= set(exempt)
        kept.append(line.replace(_TAG, "PASSWD") if rule else line)
        continued = line.rstrip("\n").endswith("\\")
    return "".join(kept)


def included(text: str, directory: str) -> "Iterator[Tuple[str, bool]]":
    """Yield (path, whether a directory) of the files that a sudoers file includes."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in _INCLUDES:
            place = words[1].strip('"')
            if not place.startswith("/"):
                place = "{}/{}".format(directory, place)
            yield place, words[0].endswith("dir")


def _is_other(word: str) -> bool:
    return word[0] in "#@" or word.startswith(_NO_RULES)


def _users(line: str) -> "List[str]":
    """Return the users at the beginning of a rule: all up to the word before the first ``=``."""
    words = line.partition("=")[0].replace(",", " ").split()
    return words[:-1] or words


def other_users(rule: sudoers.Rule, exempt: "Tuple[str, ...]") -> "List[str]":
    """Return the users and groups of a rule that are not exempt."""
    return [user for user in rule.users if user not in exempt and not user.startswith("!")]


def exempt_users(want: "Dict[str, Any]") -> "Tuple[str, ...]":
    """Return who may go without a password."""
    # Root needs no password in any case: sudo does not ask it.
    named = want["nopasswd_for"]
    return ("root", *([named] if isinstance(named, str) else named))


def _has_no_password(user: str, host: Host) -> bool:
    """Return whether a user exists and has no password that could be typed."""
    password = accounts.accounts(host).passwords.get(user)
    return password is not None and (not password.usable or not password.hash)


def _edits(want: "Dict[str, Any]", host: Host) -> "List[Tuple[str, str, str]]":
    """Return (path, before, after) of each file that would change."""
    exempt = exempt_users(want)
    found = []
    for place, text in _files(sudoers.MAIN, host, 0):
        after = without_tag(text, exempt)
        if after != text:
            found.append((place, text, after))
    return found


def _files(place: str, host: Host, depth: int) -> "Iterator[Tuple[str, str]]":
    data = host.read(place)
    if data is None or depth > _DEPTH:
        return
    text = data.decode("utf-8", "surrogateescape")
    yield place, text
    for other, is_directory in included(text, place.rpartition("/")[0]):
        if not is_directory:
            yield from _files(other, host, depth + 1)
            continue
        for name in host.names(other):
            # sudoers(5): names with a dot or with a tilde at the end are skipped.
            if "." not in name and not name.endswith("~"):
                yield from _files("{}/{}".format(other, name), host, depth + 1)

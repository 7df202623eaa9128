"""What accounts must keep to: one rule each, from the accounts to those that break it. Pure."""

from .accounts import Accounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Tuple

    from .accounts import User

    Offender = Tuple[str, str]
    Finder = Callable[[Accounts, Dict[str, Any]], List[Offender]]

# Debian's base-passwd: accounts of the system that have a program in place of a shell.
_PROGRAMS = ("/bin/sync", "/usr/bin/sync", "/sbin/shutdown", "/sbin/halt")
_NO_SHELLS = ("nologin", "false")


class Rule:
    """One rule: in words, who breaks it, and what people decide where no program may mend it.

    ``mend`` names the change of an account that mends it (see ``resources.account``).
    """

    __slots__ = ("decision", "find", "mend", "words")

    def __init__(self, words: str, find: "Finder", mend: str = "", decision: str = "") -> None:
        self.words = words
        self.find = find
        self.mend = mend
        self.decision = decision


def has_shell(user: "User") -> bool:
    """Return whether a login as the user leads to a shell; no shell named means /bin/sh."""
    return user.shell not in _PROGRAMS and user.shell.rpartition("/")[2] not in _NO_SHELLS


def _people(known: Accounts, want: "Dict[str, Any]") -> "Iterable[User]":
    """Return the users that can log in to a shell, root and exempt ones left out."""
    exempt = _exempt(want)
    return [u for u in known.users if u.uid and has_shell(u) and u.name not in exempt]


def _system(known: Accounts, want: "Dict[str, Any]") -> "Iterable[User]":
    """Return the accounts of the system, root and exempt ones left out."""
    lowest, highest = known.login_range
    exempt = _exempt(want)
    return [
        user
        for user in known.users
        if user.uid and not lowest <= user.uid <= highest and user.name not in exempt
    ]


def _uid_0(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(u.name, "user id 0") for u in known.users if u.uid == 0 and u.name != "root"]


def _gid_0(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(u.name, "group id 0") for u in known.users if u.gid == 0 and u.name != "root"]


def _group_0(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(g.name, "group id 0") for g in known.groups if g.gid == 0 and g.name != "root"]


def _same_uids(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _shared((u.uid, u.name) for u in known.users)


def _same_gids(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _shared((g.gid, g.name) for g in known.groups)


def _same_names(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _shared((u.name, "id {}".format(u.uid)) for u in known.users)


def _same_groups(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _shared((g.name, "id {}".format(g.gid)) for g in known.groups)


def _unshadowed(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(u.name, "its hash is for all to read") for u in known.users if u.password != "x"]


def _empty(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(p.name, "no password asked") for p in known.passwords.values() if not p.hash]


def _no_group(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    gids = {group.gid for group in known.groups}
    return [(u.name, "no group {}".format(u.gid)) for u in known.users if u.gid not in gids]


def _in_shadow(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    found: "List[Offender]" = []
    for group in known.groups:
        if group.name == "shadow":
            found += [(name, "member of shadow") for name in group.members]
            found += [(u.name, "shadow is its group") for u in known.users if u.gid == group.gid]
    return found


def _system_shells(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return [(u.name, u.shell or "/bin/sh") for u in _system(known, want) if has_shell(u)]


def _unlocked(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    exempt = _exempt(want)
    shells = {user.name: has_shell(user) for user in known.users if user.uid}
    return [
        (p.name, "a password, but no shell")
        for p in known.passwords.values()
        if p.usable and not shells.get(p.name, True) and p.name not in exempt
    ]


def _future(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    told = "changed on day {} after 1970"
    return [
        (p.name, told.format(p.changed))
        for p in known.passwords.values()
        if p.usable and p.changed is not None and p.changed > known.today
    ]


def _maximum(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    most = want["days"]
    return _days(known, want, "maximum", lambda days: days is not None and 0 < days <= most)


def _minimum(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _days(known, want, "minimum", lambda days: days is not None and days >= want["days"])


def _warning(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    return _days(known, want, "warning", lambda days: days is not None and days >= want["days"])


def _inactive(known: Accounts, want: "Dict[str, Any]") -> "List[Offender]":
    most = want["days"]
    return _days(known, want, "inactive", lambda days: days is not None and 0 <= days <= most)


def _days(
    known: Accounts, want: "Dict[str, Any]", field: str, holds: "Callable[[Any], bool]"
) -> "List[Offender]":
    """Return the people with a usable password whose number of days does not hold."""
    names = {user.name for user in _people(known, want)} | {"root"}
    found = []
    for password in known.passwords.values():
        if password.hash and password.usable and password.name in names:
            value = getattr(password, field)
            if not holds(value) and password.name not in _exempt(want):
                found.append((password.name, "never" if value is None else str(value)))
    return found


def _exempt(want: "Dict[str, Any]") -> "Tuple[str, ...]":
    named = want.get("except", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _shared(pairs: "Iterable[Tuple[Any, str]]") -> "List[Offender]":
    owners: "Dict[Any, List[str]]" = {}
    for value, owner in pairs:
        owners.setdefault(value, []).append(owner)
    return [(str(v), ", ".join(names)) for v, names in owners.items() if len(names) > 1]


RULES = {
    "only_root_has_uid_0": Rule(
        "no account but root has user id 0", _uid_0, decision="remove the second root"
    ),
    "only_root_has_gid_0": Rule(
        "no account but root has group id 0", _gid_0, decision="give the account its own group"
    ),
    "only_group_root_has_gid_0": Rule(
        "no group but root has id 0", _group_0, decision="remove the second group"
    ),
    "unique_uids": Rule(
        "every user id belongs to one account", _same_uids, decision="whose files are these?"
    ),
    "unique_gids": Rule(
        "every group id belongs to one group", _same_gids, decision="whose files are these?"
    ),
    "unique_user_names": Rule(
        "every name belongs to one account", _same_names, decision="remove the second account"
    ),
    "unique_group_names": Rule(
        "every name belongs to one group", _same_groups, decision="remove the second group"
    ),
    "shadowed_passwords": Rule(
        "no password hash stands in /etc/passwd", _unshadowed, decision="run pwconv"
    ),
    "no_empty_passwords": Rule("no account is open without a password", _empty, mend="lock"),
    "groups_exist": Rule(
        "the group of every account exists", _no_group, decision="create the group or change it"
    ),
    "nobody_in_shadow": Rule(
        "nobody belongs to the group shadow", _in_shadow, decision="take them out of the group"
    ),
    "system_accounts_have_no_shell": Rule(
        "no account of the system has a shell", _system_shells, mend="no_shell"
    ),
    "accounts_without_shell_are_locked": Rule(
        "no account without a shell has a password", _unlocked, mend="lock"
    ),
    "password_changes_in_past": Rule(
        "every password was changed in the past", _future, decision="let the password be changed"
    ),
    "password_maximum_days": Rule("passwords last {days} days at most", _maximum, mend="maximum"),
    "password_minimum_days": Rule("passwords last {days} days at least", _minimum, mend="minimum"),
    "password_warning_days": Rule("{days} days of warning at least", _warning, mend="warning"),
    "password_inactive_days": Rule(
        "locked {days} days after the password ended", _inactive, mend="inactive"
    ),
}

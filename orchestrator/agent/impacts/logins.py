"""Who can log in now and could not any more: by the SSH server's options, or by their account.

What Match blocks grant to single users is not looked at.
"""

import os

from .. import account_rules, accounts, facts
from ..host import Host, Unreadable
from ..kinds import sshd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Set, Tuple

    from ..kinds import Target
    from . import Impact

# sshd_config(5), PermitRootLogin: what lets root in, by a key and by a password.
_ROOT_BY_KEY = ("yes", "prohibit-password", "without-password", "forced-commands-only")
# Where keys and certificates come from that no file of the user shows.
_ELSEWHERE = ("authorizedkeyscommand", "trustedusercakeys")
# sshd_config(5): ways that need no key and no password of ours to know of.
_WITHOUT = {
    "gssapiauthentication": "gssapi-with-mic",
    "hostbasedauthentication": "hostbased",
}
_NSSWITCH = "/etc/nsswitch.conf"
_OWN_SOURCES = ("files", "compat", "db", "systemd")
# Options that decide who may log in, not only how.
_WHO = ("allowusers", "allowgroups", "denyusers", "denygroups", "passwordauthentication")
_DAYS = ("maximum", "inactive")


class Ways:
    """How one account could prove who it is, whatever the server allows."""

    __slots__ = ("groups", "keys", "locked", "name", "password")

    def __init__(
        self, name: str, groups: "Set[str]", keys: bool, password: bool, locked: bool = False
    ) -> None:
        self.name = name
        self.groups = groups
        self.keys = keys
        self.password = password
        self.locked = locked


def of_sshd(want: "Dict[str, Any]", observed: "sshd.Observed", target: "Target") -> "List[Impact]":
    """Return the accounts that the server lets in now and would not any more."""
    now = observed.effective
    becoming = {**now, **{o.lower(): sshd.value(o, c, observed) for o, c in want.items()}}
    told = "{} can log in over SSH now and could not any more"
    found = [
        ("logins", told.format(ways.name))
        for ways in _all_ways(now, target.host)
        if lets_in(now, ways) and not lets_in(becoming, ways)
    ]
    changing = [option for option in _WHO if now.get(option) != becoming.get(option)]
    sources = other_sources(target.host.read(_NSSWITCH) or b"") if changing else []
    if sources:
        text = "accounts from {} cannot be counted: some may not get in any more"
        found.append(("logins", text.format(", ".join(sources))))
    return found


def of_accounts(
    want: "Dict[str, Any]", observed: "List[Tuple[str, str]]", target: "Target"
) -> "List[Impact]":
    """Return the accounts that a change of theirs would keep out at once."""
    mend = account_rules.RULES[want["rule"]].mend
    known = accounts.accounts(target.host)
    names = [name for name, _how in observed if name in known.passwords]
    if mend in _DAYS:
        told = "the password of {} is {} d old and would have ended: no login, no sudo"
        return [
            ("logins", told.format(name, age))
            for name in names
            for age in [ends_at_once(known.passwords[name], mend, want["days"], known.today)]
            if age
        ]
    if mend not in ("lock", "no_shell"):
        return []
    effective = facts.sshd_effective(target.host) if _has_sshd(target.host) else {}
    ways = {one.name: one for one in _all_ways(effective, target.host)}
    told = "{} can log in now and could not any more"
    return [
        ("logins", told.format(name))
        for name in names
        if name in ways and _loses(ways[name], mend, effective)
    ]


def other_sources(nsswitch: bytes) -> "List[str]":
    """Return from where accounts come beside the host's own files (nsswitch.conf(5))."""
    for line in nsswitch.decode("utf-8", "replace").splitlines():
        name, _, sources = line.partition("#")[0].partition(":")
        if name.strip() == "passwd":
            words = [word for word in sources.split() if word.isalnum()]
            return [word for word in words if word not in _OWN_SOURCES]
    return []


def ends_at_once(password: accounts.Password, mend: str, days: int, today: int) -> int:
    """Return the age in days of a password that a new limit would end at once, otherwise 0.

    ``mend`` is the limit that changes: ``maximum``, or ``inactive`` (the days after it).
    """
    limits = {"maximum": password.maximum, "inactive": password.inactive}
    limits[mend] = days
    if password.changed is None or limits["maximum"] is None:
        return 0
    last = limits["maximum"] + (limits["inactive"] or 0 if mend == "inactive" else 0)
    age = today - password.changed
    return age if age > last else 0


def lets_in(options: "Dict[str, str]", ways: Ways) -> bool:
    """Return whether a server with these options (``sshd -T``) would let an account in."""
    if ways.locked and options.get("usepam") != "yes":
        return False
    keys, password = ways.keys, ways.password
    if ways.name == "root":
        root = options.get("permitrootlogin", "")
        keys, password = keys and root in _ROOT_BY_KEY, password and root == "yes"
    if not _named(options, ways):
        return False
    methods = set()
    if keys and options.get("pubkeyauthentication") == "yes":
        methods.add("publickey")
    if password and options.get("passwordauthentication") == "yes":
        methods.add("password")
    if password and options.get("kbdinteractiveauthentication") == "yes":
        methods.add("keyboard-interactive")
    methods.update(way for option, way in _WITHOUT.items() if options.get(option) == "yes")
    wanted = options.get("authenticationmethods", "any").split()
    if wanted == ["any"]:
        return bool(methods)
    return any({m.partition(":")[0] for m in way.split(",")} <= methods for way in wanted)


def _named(options: "Dict[str, str]", ways: Ways) -> bool:
    """Return whether the lists of names let an account pass (sshd_config(5): all four count)."""
    for option, names in (("users", {ways.name}), ("groups", ways.groups)):
        allowed, denied = options.get("allow" + option, ""), options.get("deny" + option, "")
        if _matches(denied, names) or (allowed and not _matches(allowed, names)):
            return False
    return True


def _matches(patterns: str, names: "Set[str]") -> bool:
    from fnmatch import fnmatchcase

    words = [word.partition("@")[0] for word in patterns.replace(",", " ").split()]
    return any(fnmatchcase(name, word) for word in words for name in names)


def _all_ways(options: "Dict[str, str]", host: Host) -> "List[Ways]":
    known = accounts.accounts(host)
    found = []
    for user in known.users:
        if account_rules.has_shell(user):
            groups = {g.name for g in known.groups if g.gid == user.gid or user.name in g.members}
            entry = known.passwords.get(user.name)
            usable = entry is not None and entry.usable and bool(entry.hash)
            locked = entry is not None and entry.hash.startswith("!")
            found.append(Ways(user.name, groups, _has_keys(user, options, host), usable, locked))
    return found


def _has_keys(user: accounts.User, options: "Dict[str, str]", host: Host) -> bool:
    """Return whether the server would find keys of a user; a program that looks may find some."""
    if any(options.get(option, "none") != "none" for option in _ELSEWHERE):
        return True
    for name in options.get("authorizedkeysfile", ".ssh/authorized_keys").split():
        place = name.replace("%h", user.home).replace("%u", user.name).replace("%U", str(user.uid))
        try:
            lines = (host.read(os.path.join(user.home, place)) or b"").splitlines()
        except Unreadable:
            return True  # an impact too many is better than one too few
        if any(line.strip() and not line.strip().startswith(b"#") for line in lines):
            return True
    return False


def _loses(ways: Ways, mend: str, options: "Dict[str, str]") -> bool:
    """Return whether an account can log in now, and could not once it is locked or shell-less."""
    if not lets_in(options, ways):
        return False
    locked = Ways(ways.name, ways.groups, ways.keys, False, True)
    return mend == "no_shell" or not lets_in(options, locked)


def _has_sshd(host: Host) -> bool:
    return "openssh-server" in facts.packages(host)

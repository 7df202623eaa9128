"""Users, groups and passwords as the host's own files declare them (passwd(5), shadow(5))."""

import time

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

PASSWD, SHADOW, GROUP = "/etc/passwd", "/etc/shadow", "/etc/group"


class User:
    """One line of passwd."""

    __slots__ = ("gid", "home", "name", "password", "shell", "uid")

    def __init__(self, fields: "List[str]") -> None:
        self.name, self.password = fields[0], fields[1]
        self.uid, self.gid = int(fields[2]), int(fields[3])
        self.home, self.shell = fields[5], fields[6]


class Password:
    """One line of shadow; days are since 1970 or None where the field is empty."""

    __slots__ = ("changed", "hash", "inactive", "maximum", "minimum", "name", "warning")

    def __init__(self, fields: "List[str]") -> None:
        self.name, self.hash = fields[0], fields[1]
        days = [int(field) if field else None for field in fields[2:7]]
        self.changed, self.minimum, self.maximum, self.warning, self.inactive = days

    @property
    def usable(self) -> bool:
        """Say whether somebody could log in with it (an empty one included)."""
        return self.hash[:1] not in ("!", "*")


class Group:
    """One line of group."""

    __slots__ = ("gid", "members", "name")

    def __init__(self, fields: "List[str]") -> None:
        self.name, self.gid = fields[0], int(fields[2])
        self.members = [name for name in fields[3].split(",") if name]


class Accounts:
    """The three files together, the ids of people (lowest, highest) and the day since 1970."""

    __slots__ = ("groups", "login_range", "passwords", "today", "users")

    def __init__(
        self, users: "List[User]", passwords: "Dict[str, Password]", groups: "List[Group]"
    ) -> None:
        self.users = users
        self.passwords = passwords
        self.groups = groups
        self.login_range = (1000, 60000)  # UID_MIN and UID_MAX of login.defs(5)
        self.today = int(time.time()) // 86400


def accounts(host: Host) -> Accounts:
    """Return the host's own accounts; raises Unreadable for a line that is none."""

    def read() -> Accounts:
        users = [User(fields) for fields in _rows(host, PASSWD, 7)]
        passwords = {p.name: p for p in (Password(row) for row in _rows(host, SHADOW, 9))}
        groups = [Group(fields) for fields in _rows(host, GROUP, 4)]
        found = Accounts(users, passwords, groups)
        found.login_range = _login_range(host, found.login_range)
        return found

    try:
        return host.once("accounts", read)  # type: ignore[no-any-return]
    except ValueError as problem:
        raise Unreadable("accounts: {}".format(problem)) from None


def _login_range(host: Host, usual: "Tuple[int, int]") -> "Tuple[int, int]":
    values = {"UID_MIN": usual[0], "UID_MAX": usual[1]}
    data = host.read("/etc/login.defs") or b""
    for words in map(str.split, data.decode("utf-8", "replace").splitlines()):
        if len(words) > 1 and words[0] in values and words[1].isdigit():
            values[words[0]] = int(words[1])
    return values["UID_MIN"], values["UID_MAX"]


def split_line(data: bytes, name: str) -> "Optional[Tuple[int, bytes]]":
    """Return (number, line) of a name's first line in one of the files, or None."""
    head = name.encode("utf-8", "surrogateescape") + b":"
    for number, line in enumerate(data.split(b"\n")):
        if line.startswith(head):
            return number, line
    return None


def _rows(host: Host, place: str, width: int) -> "List[List[str]]":
    data = host.read(place)
    if data is None:
        raise Unreadable("{}: missing".format(place))
    rows = []
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        # passwd(5) of glibc: lines for NIS begin with + or -; they name nobody here.
        if line.strip() and line[0] not in "+-#":
            fields = line.split(":")
            if len(fields) != width:
                raise Unreadable("{}: a line has {} fields".format(place, len(fields)))
            rows.append(fields)
    return rows

"""Rules of the audit system as text (auditctl(8)): what they record, however they are spelled."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterable, List, Optional, Tuple

ALL = "all"
_LISTS = ("exit", "task", "user", "exclude", "filesystem", "io_uring")
_ACTIONS = ("always", "never")
_OPERATORS = ("!=", ">=", "<=", "&=", "=", ">", "<", "&")
# auditctl(8), -F arch.
_ARCHES = {
    "b64": ("b64", "x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "riscv64"),
    "b32": ("b32", "i386", "i486", "i586", "i686", "arm", "ppc", "s390"),
}
_FIELDS = {"loginuid": "auid", "dir": "path"}
_NOBODY = ("-1", "4294967295", "unset")
_USERS = ("auid", "uid", "euid", "suid", "fsuid", "obj_uid", "gid", "egid", "sgid", "fsgid")
_ERRORS = {"-1": "-EPERM", "-13": "-EACCES"}
# Options with a value that say nothing of rules.
_SILENT = {"-b": 1, "-r": 1, "-t": 0, "-q": 1, "-v": 0, "-s": 0, "-l": 0, "-m": 1, "-n": 0}
# Records without which the others tell nothing: excluding them is recording nothing.
_ESSENTIAL = ("SYSCALL", "PATH", "1300", "1302")


class Broken(Exception):
    """A line that auditctl refuses."""


class Rule:
    """One rule; ``fields`` holds (name, operator, value), the key and the architecture apart."""

    __slots__ = ("action", "arch", "fields", "first", "key", "list", "syscalls")

    def __init__(self) -> None:
        self.list = "exit"
        self.action = "always"
        self.arch = ""
        self.syscalls: "FrozenSet[str]" = frozenset()
        self.fields: "FrozenSet[Tuple[str, str, str]]" = frozenset()
        self.key = ""
        self.first = False

    @property
    def identity(self) -> "Tuple[object, ...]":
        """Return what the kernel tells rules apart by."""
        return (self.list, self.action, self.arch, self.syscalls, self.fields, self.key)

    def concerns(self, arch: str, syscall: str, wanted: "Rule") -> bool:
        """Return whether everything that a wanted rule means of one system call falls under it."""
        if self.list != wanted.list:
            return False
        if self.arch and self.arch != arch:
            return False
        if ALL not in self.syscalls and (not self.arch or syscall not in self.syscalls):
            return False
        return all(_implied(field, wanted.fields) for field in self.fields)


class Ruleset:
    """Rules in the order in which the kernel asks them, and the switches beside them."""

    __slots__ = ("broken", "goes_on", "rules", "switches")

    def __init__(self) -> None:
        self.rules: "List[Rule]" = []
        self.switches: "Dict[str, str]" = {}
        self.goes_on = False
        self.broken = ""

    def take(self, lines: "Iterable[str]") -> None:
        """Take lines in; like auditctl, stop at the first that is refused unless told to go on."""
        for line in lines:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                self._line(words)
            except Broken:
                self.broken = self.broken or line.strip()
                if not self.goes_on:
                    return

    def _line(self, words: "List[str]") -> None:
        head = words[0]
        if head in ("-c", "-i") and len(words) == 1:
            self.goes_on = True
        elif head == "-D":
            key = words[2] if words[1:2] == ["-k"] and len(words) == 3 else ""
            self.rules = [rule for rule in self.rules if key and rule.key != key]
        elif head in ("-e", "-f", "-b") and len(words) == 2:
            self.switches[head] = words[1]
        elif _says_nothing_of_rules(words):
            return
        elif any(word in ("-d", "-W") for word in words):
            gone = parse(["-a" if w == "-d" else "-w" if w == "-W" else w for w in words])
            self.rules = [rule for rule in self.rules if rule.identity != gone.identity]
        else:
            self._add(parse(words))

    def _add(self, rule: Rule) -> None:
        if any(rule.identity == other.identity for other in self.rules):
            raise Broken("the kernel refuses a rule that it has")
        self.rules.insert(0 if rule.first else len(self.rules), rule)

    def lacks(self, wanted: Rule) -> bool:
        """Return whether something that a wanted rule would record goes unrecorded."""
        if self.switches.get("-e") == "0" or any(map(_silences, self.rules)):
            return True
        arches = [wanted.arch] if wanted.arch else ["b64", "b32"]
        return any(
            self._decides(arch, syscall, wanted) != "always"
            for arch in arches
            for syscall in wanted.syscalls
        )

    def _decides(self, arch: str, syscall: str, wanted: Rule) -> str:
        for rule in self.rules:
            if rule.concerns(arch, syscall, wanted):
                return rule.action
        return "never"


def _says_nothing_of_rules(words: "List[str]") -> bool:
    if words[0] in _SILENT:
        return len(words) == 1 + _SILENT[words[0]]
    return words[0].startswith("--") and len(words) <= 2


def parse(words: "List[str]") -> Rule:
    """Return the rule of one line; raises Broken for what auditctl would refuse."""
    rule = Rule()
    fields: "List[Tuple[str, str, str]]" = []
    syscalls: "List[str]" = []
    options = [words[at] for at in range(0, len(words), 2)]
    values = [words[at] for at in range(1, len(words), 2)]
    if len(options) != len(values) or len({"-a", "-A", "-w"} & set(options)) != 1:
        raise Broken(" ".join(words))
    for option, value in zip(options, values):  # noqa: B905 - Python 3.6
        if option in ("-a", "-A"):
            _where(rule, value)
            rule.first = option == "-A"
        elif option == "-S":
            syscalls += [name for name in value.split(",") if name]
        else:
            _further(rule, fields, option, value)
    if "-w" in options and not any(field[0] == "perm" for field in fields):
        fields.append(("perm", "=", "arwx"))
    rule.fields = frozenset(fields)
    rule.syscalls = frozenset(syscalls) if syscalls and ALL not in syscalls else frozenset([ALL])
    return rule


def _further(rule: Rule, fields: "List[Tuple[str, str, str]]", option: str, value: str) -> None:
    if option in ("-F", "-C"):
        _field(rule, fields, value, compared=option == "-C")
    elif option == "-w":
        fields.append(("path", "=", _value("path", value)))
    elif option == "-p":
        fields.append(("perm", "=", _value("perm", value)))
    elif option == "-k":
        rule.key = value
    else:
        raise Broken(option)


def _where(rule: Rule, value: str) -> None:
    parts = value.split(",")
    lists = [part for part in parts if part in _LISTS]
    actions = [part for part in parts if part in _ACTIONS]
    if len(parts) != 2 or len(lists) != 1 or len(actions) != 1:
        raise Broken(value)
    rule.list, rule.action = lists[0], actions[0]


def _field(rule: Rule, fields: "List[Tuple[str, str, str]]", text: str, compared: bool) -> None:
    name, operator, value = _split(text.strip("'\""))
    name = _FIELDS.get(name, name)
    if compared:
        one, other = sorted((name, _FIELDS.get(value, value)))
        fields.append(("compare " + one, operator, other))
    elif name == "key":
        rule.key = value
    elif name == "arch":
        named = [short for short, names in _ARCHES.items() if value in names]
        if operator != "=" or not named:
            raise Broken(text)
        rule.arch = named[0]
    else:
        fields.append((name, operator, _value(name, value)))


def _value(name: str, value: str) -> str:
    if name in _USERS:
        return "unset" if value in _NOBODY else "0" if value == "root" else value
    if name == "perm":
        return "".join(sorted(set(value)))
    if name == "path":
        return value.rstrip("/") or "/"
    return _ERRORS.get(value, value) if name == "exit" else value


def _split(text: str) -> "Tuple[str, str, str]":
    found = [(text.find(operator), operator) for operator in _OPERATORS if operator in text]
    if not found:
        raise Broken(text)
    at = min(place for place, _ in found)
    # Of those that begin there, the longest comes first in the list.
    operator = next(operator for place, operator in found if place == at)
    name, value = text[:at], text[at + len(operator) :]
    if not name or not value:
        raise Broken(text)
    return name, operator, value


def _implied(field: "Tuple[str, str, str]", wanted: "FrozenSet[Tuple[str, str, str]]") -> bool:
    """Return whether what a wanted rule looks at always meets a condition."""
    if field in wanted:
        return True
    name, operator, value = field
    for other in wanted:
        if other[:2] != (name, operator):
            continue
        if name == "perm" and set(other[2]) <= set(value):
            return True
        if name == "path" and other[2].startswith(value.rstrip("/") + "/"):
            return True
        if operator == ">=" and other[2].isdigit() and value.isdigit():
            return int(value) <= int(other[2])
    return False


def _silences(rule: Rule) -> bool:
    """Return whether a rule keeps all records away, whatever others say."""
    if rule.action == "never" and rule.list == "task":
        return not rule.fields
    # Of this list, both actions mean that the record is left out.
    return rule.list == "exclude" and any(
        field[0] == "msgtype" and field[1] == "=" and field[2] in _ESSENTIAL
        for field in rule.fields
    )


def order(names: "Iterable[str]") -> "List[str]":
    """Return file names as ``ls -v`` sorts them: numbers in them by their value."""
    return sorted(names, key=_version)


def _version(name: str) -> "Tuple[object, ...]":
    return _pieces(_stem(name)), _pieces(name)


def _stem(name: str) -> str:
    """Return a name without its suffixes: points, each before a letter, then letters and digits."""
    while True:
        stem, _, suffix = name.rpartition(".")
        if not stem or not (suffix[:1].isalpha() or suffix[:1] == "~"):
            return name
        if not suffix.replace("~", "").isalnum() and suffix.strip("~"):
            return name
        name = stem


def _pieces(stem: str) -> "Tuple[Tuple[Tuple[int, ...], int], ...]":
    parts: "List[Tuple[Tuple[int, ...], int]]" = []
    at = 0
    while at < len(stem):
        start = at
        while at < len(stem) and not "0" <= stem[at] <= "9":
            at += 1
        marks = tuple(_weight(mark) for mark in stem[start:at])
        start = at
        while at < len(stem) and "0" <= stem[at] <= "9":
            at += 1
        parts.append(((*marks, 0), int(stem[start:at] or "0")))
    return tuple(parts)


def _weight(mark: str) -> int:
    """Return a character's rank (filevercmp): the tilde, the end, letters, all others."""
    if mark == "~":
        return -1
    letter = "a" <= mark.lower() <= "z"
    return ord(mark) if letter else ord(mark) + 256


def switches_of_status(text: str) -> "Dict[str, str]":
    """Return the switches that ``auditctl -s`` tells."""
    names = {"enabled": "-e", "failure": "-f", "backlog_limit": "-b"}
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in names:
            found[names[words[0]]] = words[1]
    return found


def merged(texts: "Iterable[Tuple[str, str]]") -> "List[str]":
    """Return the lines of all files as augenrules puts them together.

    Files go on without a break where the last line has no end. The last plain -D, -b and -f come
    first, the last -e comes at the end.
    """
    moved: "Dict[str, str]" = {}
    rest = []
    for line in "".join(text for _, text in texts).split("\n"):
        words = line.split()
        head: "Optional[str]" = line[:2] if not line[:1].isspace() else None
        if not words or words[0].startswith("#"):
            continue
        if head in ("-e", "-f", "-b") or (head == "-D" and len(words) == 1):
            moved[str(head)] = line
        else:
            rest.append(line)
    first = [moved[head] for head in ("-D", "-b", "-f") if head in moved]
    return [*first, *rest, *([moved["-e"]] if "-e" in moved else [])]

"""Tables of cron, as cron itself takes them apart (crontab(5) of Debian's cron). Pure."""

from .shell_files import Statement, assignments, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

# What stands in front of the command: a table of the system names a user, one of a user does not.
SYSTEM, USER, ANACRON = "system", "user", "anacron"
_TIMES = 5
# atd writes this line before what somebody gave it to do.
_PREAMBLE_END = "}"
_PART = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Job:
    """A command, as whom and with which environment it runs, and where that is written."""

    __slots__ = ("command", "environment", "source", "user")

    def __init__(self, command: str, user: str, environment: "Dict[str, str]", source: str) -> None:
        self.command = command
        self.user = user
        self.environment = environment
        self.source = source

    @property
    def statements(self) -> "List[Statement]":
        """Return the simple commands of it."""
        return list(parse(self.command, self.source))


def jobs(text: str, place: str, sort: str, environment: "Dict[str, str]") -> "Iterator[Job]":
    """Yield the jobs of a table; settings hold for the lines below them."""
    environment = dict(environment)
    for number, written in enumerate(text.split("\n"), 1):
        line = written.strip(" \t\r")
        if not line or line[0] == "#":
            continue
        setting = _setting(line)
        if setting is not None:
            environment[setting[0]] = setting[1]
            continue
        user, command = _entry(line, sort)
        if command:
            source = "{}, line {}".format(place, number)
            yield Job(command, user, dict(environment), source)


def at_job(text: str, place: str, environment: "Dict[str, str]") -> Job:
    """Return what one job of at does: a script, with the environment of whoever gave it written in.

    Only what stands behind atd's own beginning is the command.
    """
    environment = dict(environment)
    lines = text.split("\n")
    begin = lines.index(_PREAMBLE_END) + 1 if _PREAMBLE_END in lines else 0
    for statement in parse("\n".join(lines[:begin]), place):
        for name, value, _flags in assignments(statement):
            if value is not None:
                environment[name] = value
        if statement.words[:1] == ["cd"] and len(statement.words) == 2:
            environment["HOME"] = statement.words[1]
    return Job("\n".join(lines[begin:]), "root", environment, place)


def is_table(name: str, any_name: bool) -> bool:
    """Return whether cron reads a file of this name in its directories.

    ``any_name`` is its option -l, which takes names with dots as well.
    """
    return bool(name) and name[0] != "." and (any_name or is_part(name))


def is_part(name: str) -> bool:
    """Return whether run-parts runs a file of this name: letters, digits, lines (run-parts(8))."""
    return bool(name) and set(name) <= _PART


def _setting(line: str) -> "Optional[Tuple[str, str]]":
    """Return the name and value of a line that sets a variable; None for any other line."""
    if line[0] in "\"'":
        name, _quote, rest = line[1:].partition(line[0])
    else:
        end = next((i for i, mark in enumerate(line) if mark in " \t="), len(line))
        name, rest = line[:end], line[end:]
    rest = rest.lstrip(" \t")
    if not name or rest[:1] != "=":
        return None
    value = rest[1:].strip(" \t")
    if len(value) > 1 and value[0] in "\"'" and value[0] == value[-1]:
        value = value[1:-1]
    return name, value


def _entry(line: str, sort: str) -> "Tuple[str, str]":
    """Return who runs a command, and the command; both empty where the line is none."""
    if sort == ANACRON:
        fields = line.split(None, 3)
        return ("root", fields[3]) if len(fields) == 4 else ("", "")
    before = 1 if line[0] == "@" else _TIMES
    before += sort == SYSTEM
    fields = line.split(None, before)
    if len(fields) <= before:
        return "", ""
    return fields[before - 1] if sort == SYSTEM else "", _until_percent(fields[before])


def _until_percent(command: str) -> str:
    """Return what the shell gets: what follows a percent sign is the command's input."""
    parts = command.split("%")
    kept = parts[0]
    for part in parts[1:]:
        if not kept.endswith("\\"):
            break
        kept = kept[:-1] + "%" + part
    return kept

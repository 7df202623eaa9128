"""Which files a shell's command runs: programs by PATH, scripts of interpreters, run-parts.

Variables and patterns are not followed: what they lead to is known when it runs.
"""

import os

from .cron_text import Job, is_part
from .shell_files import Statement, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List

# How deep shells may call shells.
_DEEPEST = 4
_RESERVED = ("if", "then", "elif", "else", "do", "while", "until", "!", "time", "{", "(")
# dash(1), "Builtins", and its reserved words that no command follows: never looked up in PATH.
_BUILTINS = (
    *("alias", "bg", "cd", "echo", "exit", "export", "false", "fg", "getopts", "hash", "jobs"),
    *("kill", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "test"),
    *(
        "times",
        "trap",
        "true",
        "type",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "wait",
        "[",
        ":",
        ".",
        "source",
    ),
    *("case", "done", "esac", "fi", "for", ".", "source"),
)
# They run what their arguments name.
_WRAPPERS = (
    *("chronic", "chroot", "command", "env", "eval", "exec", "flock", "ionice", "nice", "nohup"),
    *("run-one", "runuser", "setpriv", "setsid", "stdbuf", "sudo", "systemd-cat"),
    *("systemd-inhibit", "systemd-run", "taskset", "timeout", "unshare", "xargs"),
)
_SHELLS = ("sh", "dash", "bash", "ksh", "zsh")
# With or without a version at the end of their names.
_INTERPRETERS = ("source", "lua", "node", "perl", "php", "python", "ruby", "tclsh")
_UNKNOWN = "$`*?"


class Search:
    """Finds the files that a job runs, and those that could take their place."""

    def __init__(self, job: Job, is_file: "Callable[[str], bool]") -> None:
        self._path = job.environment.get("PATH", "")
        self._directory = job.environment.get("HOME", "/")
        self._is_file = is_file

    def files(self, statements: "List[Statement]", depth: int = 0) -> "Iterator[str]":
        """Yield the paths, absolute, in the order of the commands."""
        for statement in statements:
            words = list(statement.words)
            while words and (words[0] in _RESERVED or _is_setting(words[0])):
                words = words[1:]
            if words[:1] == ["cd"] and len(words) > 1 and not set(words[1]) & set(_UNKNOWN):
                self._directory = self._absolute(words[1])
            elif words:
                yield from self._of_command(words, depth)

    def _of_command(self, words: "List[str]", depth: int) -> "Iterator[str]":
        yield from self._program(words[0])
        name = words[0].rpartition("/")[2]
        arguments = [word for word in words[1:] if not set(word) & set(_UNKNOWN)]
        if name in _SHELLS and "-c" in words and depth < _DEEPEST:
            inner = "".join(words[words.index("-c") + 1 :][:1])
            yield from self.files(list(parse(inner, "")), depth + 1)
            return
        if name == "." or name in _SHELLS or name.rstrip("0123456789.") in _INTERPRETERS:
            for script in [word for word in arguments if word[:1] not in ("-", "<", ">", "")][:1]:
                yield self._absolute(script)
        if name == "run-parts":
            for word in arguments:
                yield from self._parts(word, "--regex" in " ".join(words))
        for word in arguments:
            if name in _WRAPPERS and "/" not in word and word[:1] != "-":
                yield from self._found(word)
            elif word.startswith("/") and self._is_program(word):
                yield word

    def _program(self, word: str) -> "Iterator[str]":
        """Yield the file that a command's first word names."""
        if word in _BUILTINS or set(word) & set(_UNKNOWN):
            return
        if "/" in word:
            yield self._absolute(word)
        else:
            yield from self._looked_up(word)

    def _looked_up(self, word: str) -> "Iterator[str]":
        """Yield the places where a program is looked for, up to the one where it is."""
        for directory in self._path.split(":"):
            place = "{}/{}".format(self._absolute(directory), word)
            yield place
            if self._is_program(place):
                return

    def _found(self, word: str) -> "Iterator[str]":
        places = list(self._looked_up(word))
        if places and self._is_program(places[-1]):
            yield from places

    def _parts(self, directory: str, any_name: bool) -> "Iterator[str]":
        """Yield a directory, and what run-parts runs in it."""
        if not os.path.isdir(directory):
            return
        yield directory
        for name in sorted(os.listdir(directory)):
            place = "{}/{}".format(directory.rstrip("/"), name)
            if (any_name or is_part(name)) and self._is_program(place):
                yield place

    def _is_program(self, place: str) -> bool:
        return self._is_file(place) and os.access(place, os.X_OK)

    def _absolute(self, place: str) -> str:
        return place if place.startswith("/") else "{}/{}".format(self._directory, place)


def _is_setting(word: str) -> bool:
    name, separator, _value = word.partition("=")
    return bool(separator) and name.replace("_", "a").isalnum()

"""GRUB's generated configuration and the kernel's command line, taken apart. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

# grub-mkconfig writes one of these for each kernel of a menu entry.
_LINUX = ("linux", "linux16", "linuxefi")


def kernels(text: str) -> "List[Tuple[int, Dict[str, str]]]":
    """Return (number of the line, parameters) of every kernel that the menu starts."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if len(words) > 1 and words[0] in _LINUX:
            found.append((number, parameters(" ".join(words[2:]))))
    return found


def parameters(line: str) -> "Dict[str, str]":
    """Return the parameters of a command line; of one that stands twice, the last value counts.

    What follows ``--`` is for init; a parameter without a value has an empty one.
    """
    found: "Dict[str, str]" = {}
    for word in line.split():
        if word == "--":
            break
        name, _, value = word.partition("=")
        found[name.replace("-", "_")] = value.strip('"')
    return found


def guarded(text: str) -> "Tuple[List[str], List[str]]":
    """Return the superusers of a menu, and those of them who have a hashed password.

    The last ``set superusers`` counts; names are parted by blanks, commas, semicolons, pipes or
    ampersands (GRUB's manual, "Authentication and authorisation").
    """
    users: "List[str]" = []
    hashed: "List[str]" = []
    for line in text.split("\n"):
        words = line.split()
        if words[:1] == ["set"] and words[1:] and words[1].startswith("superusers="):
            value = line.split("=", 1)[1].strip().strip("\"'")
            for mark in ",;|&":
                value = value.replace(mark, " ")
            users = value.split()
        elif words[:1] == ["password_pbkdf2"] and words[2:3] and words[2][:12] == "grub.pbkdf2.":
            hashed.append(words[1])
    return users, [user for user in users if user in hashed]

"""The keys by which somebody is let in over SSH, wherever sshd looks for them."""

import base64
import binascii
import errno
import glob
import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Sequence

    Read = Callable[[str], bytes]

# sshd_config(5): where it looks unless it is told otherwise.
_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_SETTINGS = ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf")
_OPTION = "authorizedkeysfile"
_NOTE = 100


class Owner:
    """Whose keys they are."""

    __slots__ = ("home", "uid", "user")

    def __init__(self, user: str, uid: str, home: str) -> None:
        self.user = user
        self.uid = uid
        self.home = home


def patterns(read: "Read") -> "List[str]":
    """Return where sshd may look for keys, in its own words; ``read`` gives what a file holds.

    What stands in a Match block counts for everybody: one place too many is no harm.
    """
    paths = [path for pattern in _SETTINGS for path in sorted(glob.glob(pattern))]
    told = [name for path in paths for name in declared(read(path).decode("utf-8", "replace"))]
    return list(dict.fromkeys([*_USUAL, *told]))


def declared(settings: str) -> "Iterator[str]":
    """Yield the places that settings of sshd name. Pure."""
    for line in settings.splitlines():
        words = line.replace("=", " ", 1).replace('"', " ").split()
        if words and words[0].lower() == _OPTION:
            yield from (word for word in words[1:] if word != "none")


def place(pattern: str, owner: Owner) -> str:
    """Return the file that a place stands for, of one owner. Pure."""
    tokens = {"%%": "%", "%h": owner.home, "%u": owner.user, "%U": owner.uid}
    found, rest = "", pattern
    while rest:
        width = 2 if rest[:2] in tokens else 1
        found += tokens.get(rest[:2], rest[:1])
        rest = rest[width:]
    return os.path.join(owner.home, found)


def of(owner: Owner, places: "Sequence[str]", read: "Read") -> "Dict[str, Dict[str, str]]":
    """Return what lets somebody in: each line by its digest, with its key and the note beside it.

    A file that is too large to be watched is one of them: sshd reads it to its end. Raises OSError.
    """
    found = {}
    for pattern in places:
        path = place(pattern, owner)
        try:
            content = read(path)
        except OSError as problem:
            if problem.errno != errno.EFBIG:
                raise
            seen = os.stat(path)
            line = "{} {} {}".format(path, seen.st_size, seen.st_mtime)
            found[_digest(line)] = {"key": "", "note": "{}: {}".format(path, problem.strerror)}
            continue
        for line in content.decode("utf-8", "surrogateescape").splitlines():
            if line.strip() and not line.strip().startswith("#"):
                found[_digest(line)] = shown(line)
    return found


def shown(line: str) -> "Dict[str, str]":
    """Return what is told of a line: the fingerprint of its key, its options and its note. Pure."""
    words = list(_words(line))
    for number, word in enumerate(words):
        key = _fingerprint(word)
        if key:
            options = words[0] if number > 1 else ""
            note = " ".join(filter(None, [*words[number + 1 :], options]))
            return {"key": key, "note": note[:_NOTE]}
    return {"key": "", "note": line.strip()[:_NOTE]}


def _words(line: str) -> "Iterator[str]":
    """Yield the words of a line; what stands in quotes, as values of options do, divides none."""
    word, quoted, escaped = "", False, False
    for letter in line:
        if letter in " \t" and not quoted:
            if word:
                yield word
            word = ""
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = letter == "\\" and not escaped
        word += letter
    if word:
        yield word


def _digest(line: str) -> str:
    return hashlib.sha256(line.strip().encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _fingerprint(word: str) -> str:
    """Return the fingerprint of a key as OpenSSH writes it, empty where the word is none."""
    # The type's name, with its length before it, begins every public key.
    if not word.startswith("AAAA"):
        return ""
    try:
        blob = base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

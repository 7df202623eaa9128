"""AppArmor's language as far as it tells which program a profile is for, and how strictly. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

# apparmor.d(5), "Flags": the modes; without any of them a profile enforces.
ENFORCE, COMPLAIN, UNCONFINED = "enforce", "complain", "unconfined"
_MODES = (COMPLAIN, UNCONFINED, "kill", "prompt", "default_allow")
# A head begins with one of these, and these may stand on lines of their own behind it.
_BEGINNINGS = ("profile ", "hat ", "^", "/", '"', "@{")
_CONTINUATIONS = ("flags", "xattrs", "(", "{")
# Of a pattern with alternatives, so many are tried.
_ALTERNATIVES = 1000
_SPECIAL = "*?[\\"
# So many variables are followed in one pattern.
_DEEPEST = 50


class Head:
    """What a profile in a file begins with; ``span`` is where its flags stand, if it has some."""

    __slots__ = ("attachment", "flags", "name", "span")

    def __init__(self, name: str, attachment: str) -> None:
        self.name = name
        self.attachment = attachment
        self.flags: "Tuple[str, ...]" = ()
        self.span = (0, 0)

    @property
    def mode(self) -> str:
        """Return the mode in which the profile is loaded."""
        return next((flag for flag in self.flags if flag in _MODES), ENFORCE)


def loaded(text: str) -> "Dict[str, str]":
    """Return name → mode of the profiles that the kernel lists, one on a line: ``name (mode)``."""
    found = {}
    for line in text.splitlines():
        name, separator, mode = line.rpartition(" (")
        if separator:
            found[name] = mode.rstrip(")")
    return found


def heads(text: str) -> "List[Head]":
    """Return the profiles of a file; those within others are named ``outer//inner``."""
    text = _profiles_only(text)
    found: "List[Head]" = []
    around: "List[str]" = [""]
    behind = 0
    for at in _brackets(text):
        if text[at] == "{":
            head = _head(text, at, behind)
            if head is not None:
                head.name = "{}//{}".format(around[-1], head.name) if around[-1] else head.name
                found.append(head)
            around.append(head.name if head else around[-1])
        elif len(around) > 1:
            around.pop()
        behind = at + 1
    return found


def without_flag(text: str, flag: str) -> str:
    """Return a file's text in which no profile has a flag."""
    for head in reversed(heads(text)):
        if flag in head.flags:
            start, end = head.span
            kept = ", ".join(each for each in head.flags if each != flag)
            before = text[:start] if kept else text[:start].rstrip(" \t")
            text = before + ("flags=({})".format(kept) if kept else "") + text[end:]
    return text


def alternatives(pattern: str) -> "List[str]":
    """Return what a pattern stands for, without its brackets: ``/{usr/,}bin`` gives two."""
    ready: "List[str]" = []
    waiting = [pattern]
    while waiting and len(ready) < _ALTERNATIVES:
        text = waiting.pop()
        start = text.find("{")
        end = _closing(text, start) if start >= 0 else -1
        if end < 0:
            ready.append(text)
            continue
        for choice in _choices(text[start + 1 : end]):
            waiting.append(text[:start] + choice + text[end + 1 :])
    return ready


def variables(text: str) -> "Dict[str, List[str]]":
    """Return name → values of what a text sets: ``@{bin} = /{,usr/}bin``."""
    found: "Dict[str, List[str]]" = {}
    for line in text.split("\n"):
        name, closing, rest = line.strip().partition("}")
        rest = rest.lstrip()
        if closing and name.startswith("@{") and rest.startswith(("=", "+=")):
            values = _words(rest.partition("=")[2].partition(" #")[0])
            found[name + "}"] = (found.get(name + "}", []) if rest[0] == "+" else []) + values
    return found


def resolved(pattern: str, known: "Dict[str, List[str]]") -> str:
    """Return a pattern in which alternatives stand for variables; empty where one is not known."""
    for _time in range(_DEEPEST):
        start = pattern.find("@{")
        if start < 0:
            return pattern
        end = pattern.find("}", start) + 1
        values = known.get(pattern[start:end])
        if not values:
            return ""
        one = values[0] if len(values) == 1 else "{" + ",".join(values) + "}"
        pattern = pattern[:start] + one + pattern[end:]
    return ""


def matches(pattern: str, path: str) -> bool:
    """Return whether a path is one that a pattern without alternatives stands for.

    ``*`` and ``?`` stand for anything but a slash, ``**`` for that as well (apparmor.d(5),
    "Globbing"). Works from all places at once, so that no pattern takes long.
    """
    places = {0}
    for sort, text in _pieces(pattern):
        if sort == "text":
            places = {at + len(text) for at in places if path.startswith(text, at)}
        elif sort == "**":
            places = set(range(min(places), len(path) + 1))
        elif sort == "*":
            places = {each for at in places for each in range(at, _slash(path, at) + 1)}
        else:
            places = {at + 1 for at in places if _is_one_of(text, path[at : at + 1])}
        if not places:
            return False
    return len(path) in places


def _profiles_only(text: str) -> str:
    """Return a text in which blanks stand for comments and for what sets variables.

    So all else keeps its place.
    """
    lines = []
    for line in text.split("\n"):
        at = line.find("#")
        while at > 0 and (line[at - 1] not in " \t" or line.count('"', 0, at) % 2):
            at = line.find("#", at + 1)
        if line.lstrip().startswith("@{"):
            rest = line.partition("}")[2].lstrip()
            at = 0 if rest.startswith(("=", "+=")) else at
        lines.append(line if at < 0 else line[:at] + " " * (len(line) - at))
    return "\n".join(lines)


def _brackets(text: str) -> "Iterator[int]":
    """Yield the places of brackets that open or close a block; those in patterns touch others."""
    places = []
    for bracket, before in (("{", ' \t\r\n)"'), ("}", " \t\r\n")):
        at = text.find(bracket)
        while at >= 0:
            if at == 0 or text[at - 1] in before:
                places.append(at)
            at = text.find(bracket, at + 1)
    yield from sorted(places)


def _head(text: str, bracket: int, above: int) -> "Optional[Head]":
    """Return the head that ends at an opening bracket; None where none does (``if … {``).

    It begins on the same line or further up, but behind the bracket ``above``.
    """
    start = _line(text, bracket, above)
    while start > above:
        line = text[start:bracket].strip()
        if line and not line.startswith(_CONTINUATIONS):
            break
        start = _line(text, start - 1, above)
    line = text[start:bracket]
    if not line.lstrip().startswith(_BEGINNINGS):
        return None
    span = _flags(text, start, bracket)
    words = _words(text[start : span[0] or bracket].partition("xattrs=")[0])
    if words[:1] in (["profile"], ["hat"]):
        words = words[1:]
    if not words:
        return None
    head = Head(words[0].lstrip("^"), "".join(words[1:2]) or words[0])
    if span[1]:
        head.span = span
        listed = text[span[0] : span[1]].partition("(")[2].rstrip(")")
        head.flags = tuple(listed.replace(",", " ").split())
    return head


def _line(text: str, at: int, above: int) -> int:
    return max(text.rfind("\n", 0, max(at, 0)) + 1, above)


def _flags(text: str, start: int, bracket: int) -> "Tuple[int, int]":
    """Return where the flags of a head stand, (0, 0) where it has none."""
    end = start + len(text[start:bracket].rstrip())
    opening = text.rfind("(", start, end)
    if opening < 0 or text[end - 1] != ")":
        return 0, 0
    key = text[start:opening].rstrip()
    if not key.endswith("="):
        return opening, end  # the old way of writing them
    key = key[:-1].rstrip()
    return (start + len(key) - len("flags"), end) if key.endswith("flags") else (0, 0)


def _words(text: str) -> "List[str]":
    """Return the words of a head; quotes hold blanks together."""
    words: "List[str]" = []
    for number, part in enumerate(text.split('"')):
        words += [part] if number % 2 else part.split()
    return words


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def _choices(text: str) -> "Iterator[str]":
    depth = start = 0
    for at, mark in enumerate(text):
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if mark == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def _pieces(pattern: str) -> "Iterator[Tuple[str, str]]":
    at = 0
    while at < len(pattern):
        mark = pattern[at]
        end = pattern.find("]", at + 2) if mark == "[" else -1
        if pattern.startswith("**", at):
            at += len(pattern[at:]) - len(pattern[at:].lstrip("*"))
            yield "**", ""
        elif mark in "*?":
            at += 1
            yield mark, ""
        elif end > 0:
            yield "[", pattern[at + 1 : end]
            at = end + 1
        else:
            # What a backslash stands before means itself.
            at += 1 if mark == "\\" else 0
            stop = at + 1
            while stop < len(pattern) and pattern[stop] not in _SPECIAL:
                stop += 1
            yield "text", pattern[at:stop]
            at = stop


def _is_one_of(listed: str, character: str) -> bool:
    """Return whether a character is one of those in brackets; nothing listed: any but a slash."""
    if not character:
        return False
    if not listed:
        return character != "/"
    inside = listed.lstrip("^")
    found = character in inside
    for at in range(1, len(inside) - 1):
        if inside[at] == "-":
            found = found or inside[at - 1] <= character <= inside[at + 1]
    return found != (listed[:1] == "^")


def _slash(path: str, at: int) -> int:
    end = path.find("/", at)
    return len(path) if end < 0 else end

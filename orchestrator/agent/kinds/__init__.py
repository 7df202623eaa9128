"""Kinds: the code that knows one sort of state. One module each, imported only when wanted.

Every kind module names the phase in which it works (``PHASE``, see ``phases``) and offers the same
functions::

    observe(want, host) -> observed        reads; raises Unreadable, never guesses
    judge(want, observed) -> Judgement     pure
    propose(want, observed, target) -> Proposal
    validate(want, target)                 refuses what would break, before anything is changed;
                                           raises ByHand for what is judged only
    converge(want, target)                 idempotent, atomic
    persist(want, target)                  optional: what is made permanent only after confirm

``target`` is the place of the state: the host, and the slot that names our files for it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Dict, Sequence, Tuple

    from ..host import Host

TEXT_LIMIT = 65536
# Of a list, so many items are shown.
_SHOWN = 10


def module(kind: str) -> "ModuleType":
    """Return the module of a kind."""
    package = __import__(__name__, fromlist=[kind])
    found = getattr(package, kind, None)
    if found is None:
        raise ValueError("unknown kind: " + kind)
    return found  # type: ignore[no-any-return]


class Invalid(Exception):
    """The desired state would break something (a syntax error); nothing has been changed."""


class ByHand(Exception):
    """No program may mend this state: the text tells what people have to decide."""


class Judgement:
    """What a kind says of one state, as text for people.

    ``pending``: it fails now, but will hold after the next reboot.
    """

    __slots__ = ("detail", "expected", "observed", "pending", "verdict")

    def __init__(self, verdict: str, expected: str, observed: str, detail: str = "") -> None:
        self.verdict = verdict
        self.expected = bounded(expected)
        self.observed = bounded(observed)
        self.detail = bounded(detail)
        self.pending = False

    @classmethod
    def of(cls, passed: bool, expected: str, observed: str, detail: str = "") -> "Judgement":
        """Return pass or fail."""
        return cls("pass" if passed else "fail", expected, observed, detail)


class Target:
    """Where a state lives: its host, and the slot (control, and number after the first).

    ``named``: the operator asked for this control by its name, or that was so when it was planned.
    """

    __slots__ = ("host", "named", "slot")

    def __init__(self, host: "Host", control: str, index: int = 0) -> None:
        self.host = host
        self.slot = "{}-{}".format(control, index + 1) if index else control
        self.named = host.named is None or control in host.named


class Proposal:
    """What apply would do for one state.

    ``resources`` will be journaled before the change; ``activate`` names what is reloaded
    afterwards (``reload ssh.service``); ``install`` and ``remove`` are packages.
    """

    __slots__ = ("activate", "diff", "install", "remove", "resources", "summary")

    def __init__(
        self,
        summary: str,
        resources: "Sequence[str]" = (),
        activate: "Sequence[str]" = (),
        diff: str = "",
    ) -> None:
        self.summary = summary
        self.resources = tuple(resources)
        self.activate = tuple(activate)
        self.diff = diff
        self.install: "Tuple[str, ...]" = ()
        self.remove: "Tuple[str, ...]" = ()


def bounded(text: str) -> str:
    """Return at most 64 KiB of a text, saying how much was left out."""
    if len(text) <= TEXT_LIMIT:
        return text
    rest = text[TEXT_LIMIT:]
    return "{}… ({} characters in all, digest {})".format(
        text[:TEXT_LIMIT], len(text), digest(rest)
    )


def listed(items: "Sequence[str]", between: str = "; ") -> str:
    """Return the first items of many, and what tells the others apart.

    Two lists that differ anywhere must not read alike: drift and waivers compare these texts.
    """
    shown, rest = list(items[:_SHOWN]), items[_SHOWN:]
    if rest:
        shown.append("… ({} in all, digest {})".format(len(items), digest("\0".join(rest))))
    return between.join(shown)


def digest(text: str) -> str:
    """Return the digest of a text that is not shown whole, and is no secret."""
    # Built in; hashlib would cost an audit 20 ms.
    from _blake2 import blake2b

    told: str = blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
    return told


def printable(path: str) -> str:
    r"""Return a file's name as text: bytes that are no UTF-8 are spelled ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unified(path: str, before: str, after: str) -> str:
    """Return a unified diff of a file's content."""
    from difflib import unified_diff

    lines = unified_diff(
        before.splitlines(True), after.splitlines(True), "before " + path, "after " + path
    )
    return bounded("".join(line if line.endswith("\n") else line + "\n" for line in lines))


def shows(diff: str, path: str) -> bool:
    """Return whether a diff (of several files, perhaps) tells what a file holds."""
    return "+++ after {}\n".format(path) in diff


def differing_lines(before: str, after: str) -> str:
    """Return the lines that only one of two texts holds (difflib costs an audit 8 ms to import)."""
    old, new = before.splitlines(), after.splitlines()
    lines = ["- " + line for line in old if line not in set(new)]
    lines += ["+ " + line for line in new if line not in set(old)]
    return bounded("\n".join(lines))


def root_file(mode: int = 0o644) -> "Dict[str, int]":
    """Return the dress of a file that is ours: root's, with these permission bits."""
    return {"uid": 0, "gid": 0, "mode": mode}

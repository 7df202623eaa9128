"""``apt_sources``: where packages come from, and whether their signatures are looked at.

Sources are never changed by us: without them the host gets no packages at all.
"""

from ..host import Host
from . import ByHand, Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

PHASE = "packages"

_MAIN = "/etc/apt/sources.list"
_DIRECTORY = "/etc/apt/sources.list.d"
# sources.list(5): options that let packages in whose origin nobody vouches for, or outdated lists.
_LOOSE = {
    "trusted": ("yes",),
    "allow-insecure": ("yes",),
    "allow-weak": ("yes",),
    "allow-downgrade-to-insecure": ("yes",),
    "check-valid-until": ("no",),
}


class Source:
    """One source: its place, and its options by lower-case name."""

    __slots__ = ("options", "place")

    def __init__(self, place: str, options: "Dict[str, str]") -> None:
        self.place = place
        self.options = options


def observe(want: "Dict[str, Any]", host: Host) -> "List[Source]":
    """Return every source that apt reads."""
    return host.once("apt-sources", lambda: list(_read(host)))  # type: ignore[no-any-return]


def judge(want: "Dict[str, Any]", observed: "List[Source]") -> Judgement:
    """Return whether every source keeps to the rule."""
    if want["rule"] == "signed_by":
        expected = "every source names the key that signs it"
        loose = [source.place for source in observed if not source.options.get("signed-by")]
    else:
        expected = "no source switches the check of signatures or of their age off"
        loose = [
            "{}: {}: {}".format(source.place, name, source.options[name])
            for source in observed
            for name, values in _LOOSE.items()
            if source.options.get(name, "").lower() in values
        ]
    shown = listed(loose) or "{} sources".format(len(observed))
    return Judgement.of(not loose, expected, shown)


def propose(want: "Dict[str, Any]", observed: "List[Source]", target: Target) -> Proposal:
    """Propose nothing: :func:`validate` leaves it to people."""
    return Proposal("")


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave sources to people."""
    judged = judge(want, observe(want, target.host))
    raise ByHand("{}: change the source".format(judged.observed))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Change nothing: no plan comes as far as this."""


def one_line(text: str, place: str) -> "Iterator[Source]":
    """Yield the sources of a ``.list`` file: ``deb [option=value …] URI suite …``."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words and words[0] in ("deb", "deb-src"):
            yield Source("{}:{}".format(place, number), _bracketed(line))


def deb822(text: str, place: str) -> "Iterator[Source]":
    """Yield the enabled sources of a ``.sources`` file: paragraphs of ``Field: value``."""
    fields: "Dict[str, str]" = {}
    name, first = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if "types" in fields and fields.get("enabled", "yes").lower() not in ("no", "false"):
                yield Source("{}:{}".format(place, first), fields)
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            fields[name] += " " + line.strip()
        else:
            head, _, value = line.partition(":")
            name = head.strip().lower()
            first = number if not fields else first
            fields[name] = value.strip()


def _bracketed(line: str) -> "Dict[str, str]":
    inside = line.partition("[")[2].partition("]")[0] if "[" in line.partition("#")[0] else ""
    options = {}
    for word in inside.split():
        name, _, value = word.partition("=")
        options[name.rstrip("+-").lower()] = value
    return options


def _read(host: Host) -> "Iterator[Source]":
    for place, is_deb822 in _files(host):
        text = (host.read(place) or b"").decode("utf-8", "replace")
        yield from deb822(text, place) if is_deb822 else one_line(text, place)


def _files(host: Host) -> "Iterator[Tuple[str, bool]]":
    yield _MAIN, False
    for name in host.names(_DIRECTORY):
        if name.endswith((".list", ".sources")) and not name.startswith("."):
            yield "{}/{}".format(_DIRECTORY, name), name.endswith(".sources")

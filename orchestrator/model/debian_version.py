"""The order of Debian versions (Debian Policy 5.6.12), as dpkg has it."""

import re
from functools import total_ordering
from itertools import zip_longest

_PARTS = re.compile(r"(\D*)(\d*)", re.ASCII)
# A tilde sorts before everything, even the end; letters before all other characters.
_LETTER, _OTHER = 0, 256


@total_ordering
class DebianVersion:
    """A version that can be compared: ``[epoch:]upstream[-revision]``."""

    def __init__(self, text: str) -> None:
        epoch, separator, rest = text.partition(":")
        if not separator or not (epoch.isascii() and epoch.isdigit()):
            epoch, rest = "0", text
        upstream, separator, revision = rest.rpartition("-")
        self._key = int(epoch), upstream if separator else rest, revision if separator else ""

    def __eq__(self, other: object) -> bool:
        """Whether both are the same in dpkg's order (1.0 and 1.00 are)."""
        return isinstance(other, DebianVersion) and _compare(self, other) == 0

    def __lt__(self, other: "DebianVersion") -> bool:
        """Whether this one is older."""
        return _compare(self, other) < 0

    __hash__ = None  # type: ignore[assignment]


def _compare(one: DebianVersion, other: DebianVersion) -> int:
    (epoch, *texts), (other_epoch, *other_texts) = one._key, other._key
    if epoch != other_epoch:
        return epoch - other_epoch
    return next((c for pair in zip(texts, other_texts, strict=True) if (c := _order(*pair))), 0)


def _order(one: str, other: str) -> int:
    pairs = zip_longest(_PARTS.findall(one), _PARTS.findall(other), fillvalue=("", ""))
    for (text, number), (other_text, other_number) in pairs:
        mine, theirs = _weights(text), _weights(other_text)
        if mine != theirs:
            return 1 if mine > theirs else -1
        if difference := int(number or 0) - int(other_number or 0):
            return difference
    return 0


def _weights(text: str) -> list[int]:
    # The end weighs nothing, a tilde less.
    return [*(_weight(character) for character in text), 0]


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) + (_LETTER if character.isalpha() else _OTHER)

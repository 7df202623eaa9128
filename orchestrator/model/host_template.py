"""What a sentence of the agent is to the controller."""

from collections.abc import Collection
from typing import NamedTuple


class Template(NamedTuple):
    """A sentence with ``{parameters}``.

    ``inner`` names parameters that hold sentences of the agent themselves, or lists of such. A
    template that has no words of its own fits only where one of them is known. ``words`` names
    parameters that are single words: with a blank in one of them, unless it is a known sentence,
    the template does not fit.
    """

    text: str
    inner: Collection[str] = ()
    words: Collection[str] = ()


def later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message

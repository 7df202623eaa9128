"""What a sentence of the agent is to the controller."""

from collections.abc import Mapping
from typing import NamedTuple


class Template(NamedTuple):
    """A sentence with ``{parameters}``.

    ``inner`` names parameters that hold sentences of the agent themselves, with what separates
    them (empty: one sentence). Where none of them is known, the template does not fit; neither does
    one of single ``words`` where a value has blanks.
    """

    text: str
    inner: Mapping[str, str] = {}
    words: bool = False

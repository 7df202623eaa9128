"""What a declaration of a kind consists of."""

from typing import Any, Dict, NamedTuple, Optional, Tuple


class Field(NamedTuple):
    """One named parameter of a kind; ``type`` names the check that its value must pass."""

    type: str
    doc: str
    required: bool = False
    compiled: bool = False
    choices: Tuple[str, ...] = ()


class Kind(NamedTuple):
    """One kind: either ``fields`` by name, or ``mapping``, the word for its open-ended keys.

    ``identity`` is the field that names the thing: two states of one thing may contradict.
    """

    doc: str
    example: Dict[str, Any]
    fields: Optional[Dict[str, Field]] = None
    mapping: str = ""
    identity: str = ""

"""Answers that are almost honest: a recorded one, bent in some places."""

import copy
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from bench.readers import SEEDS

# A loaded machine is no finding.
unhurried = settings(deadline=None)
# Half a character is among them: JSON can spell one.
TEXTS = st.one_of(
    st.text(st.characters(), max_size=12),
    st.sampled_from(["", "pass", "-x", "{{ 7*7 }}", "\x1b[31m", "\u202e", "=1", "../x", "a\0b"]),
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def recorded(name: str) -> Any:
    """Return what a host once answered (``{"format": 1, "result": …}``)."""
    return json.loads((SEEDS / f"{name}.json").read_text())


@st.composite
def bent(draw: st.DrawFn, name: str) -> Any:
    """Draw a recorded answer in which up to three values are others, or gone."""
    answer = copy.deepcopy(recorded(name))
    for _number in range(draw(st.integers(1, 3))):
        parent, key = _place(draw, answer["result"])
        if key is None:
            continue
        if draw(st.integers(0, 4)):
            parent[key] = draw(ANYTHING)
        else:
            del parent[key]
    return answer


def _place(draw: st.DrawFn, parent: Any) -> tuple[Any, Any]:
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if not keys:
            return parent, None
        key = draw(st.sampled_from(keys))
        child = parent[key]
        if not isinstance(child, dict | list) or not child or not draw(st.integers(0, 3)):
            return parent, key
        parent = child

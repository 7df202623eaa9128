"""What a control may ask of one value: equality, bounds, a choice, or the absence of list items.

A condition is a scalar (equality) or a mapping with one or more of these keys:

``at_most``, ``at_least``  bounds of an integer, inclusive
``one_of``                 the accepted values; the first is what apply sets
``without``                items that a comma-separated list must not hold
``set``                    what apply writes where the present value does not meet the bounds
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

BOUNDS = ("at_most", "at_least")
KEYS = (*BOUNDS, "one_of", "without", "set")


def plain(value: "Any") -> str:
    """Return a declared scalar as text the way configuration files spell it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def meets(condition: "Any", observed: str) -> bool:
    """Return whether the observed text meets the condition; spelling case does not count."""
    if not isinstance(condition, dict):
        return _same(plain(condition), observed)
    if "one_of" in condition and not any(_same(plain(v), observed) for v in condition["one_of"]):
        return False
    if "without" in condition and set(items(observed)) & {plain(v) for v in condition["without"]}:
        return False
    return _within(condition, observed)


def describe(condition: "Any") -> str:
    """Return the condition as a short text for people."""
    if not isinstance(condition, dict):
        return plain(condition)
    parts = []
    if "at_least" in condition:
        parts.append("≥ {}".format(condition["at_least"]))
    if "at_most" in condition:
        parts.append("≤ {}".format(condition["at_most"]))
    if "one_of" in condition:
        parts.append(" | ".join(plain(v) for v in condition["one_of"]))
    if "without" in condition:
        parts.append("without " + ",".join(plain(v) for v in condition["without"]))
    return ", ".join(parts)


def target(condition: "Any") -> str:
    """Return the value that apply writes to meet a condition that is not met (not ``without``)."""
    if not isinstance(condition, dict):
        return plain(condition)
    if "set" in condition:
        return plain(condition["set"])
    if "one_of" in condition:
        accepted = [plain(value) for value in condition["one_of"]]
        return next((value for value in accepted if meets(condition, value)), accepted[0])
    return plain(condition["at_most"] if "at_most" in condition else condition["at_least"])


def items(text: str) -> "List[str]":
    """Return the items of a comma-separated list."""
    return [item for item in (part.strip() for part in text.split(",")) if item]


def _within(condition: "Dict[str, Any]", observed: str) -> bool:
    if not any(bound in condition for bound in BOUNDS):
        return True
    try:
        number = int(observed)
    except ValueError:
        return False
    at_least, at_most = condition.get("at_least", number), condition.get("at_most", number)
    return bool(at_least <= number <= at_most)


def _same(wanted: str, observed: str) -> bool:
    return " ".join(wanted.split()).lower() == " ".join(observed.split()).lower()

"""What a control may ask of one value: equality, bounds, a choice, or the absence of list items.

A condition is a scalar (equality) or a mapping with one or more of these keys:

``at_most``, ``at_least``  bounds of an integer, inclusive
``one_of``                 the accepted values; the first is what apply sets
``without``                items that a comma-separated list must not hold
``with``                   items of which a comma-separated list must hold one at least
``only``                   all that a list may hold, and it must hold something; nothing named: that
                           is for people to decide
``set``                    what apply writes where the present value does not meet the bounds
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Set

BOUNDS = ("at_most", "at_least")
LISTS = ("without", "with", "only")
KEYS = (*BOUNDS, "one_of", *LISTS, "set")


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
    return _list_meets(condition, set(items(observed))) and _within(condition, observed)


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
    if "with" in condition:
        parts.append("with " + " | ".join(plain(v) for v in condition["with"]))
    if "only" in condition:
        parts.append("only " + (",".join(plain(v) for v in condition["only"]) or "declared names"))
    return ", ".join(parts)


def target(condition: "Any") -> str:
    """Return the value that apply writes to meet a condition that is not met (not of lists)."""
    if not isinstance(condition, dict):
        return plain(condition)
    if "set" in condition:
        return plain(condition["set"])
    if "one_of" in condition:
        accepted = [plain(value) for value in condition["one_of"]]
        return next((value for value in accepted if meets(condition, value)), accepted[0])
    return plain(condition["at_most"] if "at_most" in condition else condition["at_least"])


def mended(condition: "Dict[str, Any]", present: str) -> "List[str]":
    """Return the items of the list that apply writes to meet a condition of lists."""
    if condition.get("only"):
        return [plain(value) for value in condition["only"]]
    unwanted, wanted = _named(condition, "without"), _named(condition, "with")
    kept = [item for item in items(present) if item not in unwanted]
    missing = bool(wanted) and not wanted & set(kept)
    return [plain(condition["with"][0]), *kept] if missing else kept


def items(text: str) -> "List[str]":
    """Return the items of a comma-separated list."""
    return [item for item in (part.strip() for part in text.split(",")) if item]


def _list_meets(condition: "Dict[str, Any]", present: "Set[str]") -> bool:
    if present & _named(condition, "without"):
        return False
    if "with" in condition and not present & _named(condition, "with"):
        return False
    if "only" not in condition:
        return True
    allowed = _named(condition, "only")
    return bool(present) and (not allowed or present <= allowed)


def _named(condition: "Dict[str, Any]", key: str) -> "Set[str]":
    return {plain(value) for value in condition.get(key, ())}


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

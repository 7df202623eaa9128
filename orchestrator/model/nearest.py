"""What somebody who mistyped a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from orchestrator.model.i18n import _


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the ``known`` names that ``name`` may have meant, the nearest first.

    Spelling case does not count.
    """
    spelled = {each.casefold(): each for each in known}
    return [spelled[each] for each in get_close_matches(name.casefold(), spelled)]


def known_hint(name: str, known: Iterable[str]) -> str:
    """Return the hint for a ``name`` that does not exist: the nearest names, else all of them."""
    names = list(known)
    close = nearest(name, names)
    if close:
        return meant_hint(close)
    return _("there is: {names}").format(names=", ".join(names) or _("none"))


def meant_hint(close: Iterable[str]) -> str:
    """Return the question whether one of these names was meant."""
    return _("did you mean: {names}?").format(names=", ".join(close))

"""Translation of what users read; English is the source language."""

import gettext
import os
from functools import cache
from pathlib import Path

_LOCALES = Path(__file__).resolve().parent.parent / "locales"


def language() -> str:
    """Return the operator's language, ``vi`` or ``en``: ``LUYTRE_LANG`` first, then the locale."""
    chosen = os.environ.get("LUYTRE_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    return "vi" if chosen.lower().startswith("vi") else "en"


def _(message: str) -> str:
    """Return ``message`` in the operator's language, or unchanged where no translation exists."""
    return _catalogue(language()).gettext(message)


def _n(one: str, many: str, n: int) -> str:
    """Return the message for ``n`` things: ``one`` of them, or ``many`` (none, two or more).

    A language with other forms picks from its own translations. Formatting is left to the caller.
    """
    return _catalogue(language()).ngettext(one, many, n)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("luytre", _LOCALES, [language], fallback=True)

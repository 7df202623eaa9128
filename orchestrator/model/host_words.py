"""What hosts say, in the operator's language.

The agent speaks English: it runs where there is no catalogue, and what it observed is compared and
kept as it was said. Its sentences are declared here as templates (``host_templates``), by which a
sentence is taken apart and put together again in the operator's language. What fits no template is
shown as it is: nothing is lost, and values that a host gave stay untouched.
"""

import string
from functools import cache, lru_cache
from itertools import pairwise

from orchestrator.model.host_templates import TEMPLATES, Template
from orchestrator.model.i18n import _, language

# A longer text is no sentence but a content; taking it apart would only cost time.
_LONGEST = 4000
# What the agent puts between sentences.
_BETWEEN = "; "
_KEPT = 4096


def in_words(text: str) -> str:
    """Return what a host said in the operator's language; unchanged where it is not known."""
    if language() == "en" or len(text) > _LONGEST:
        return text
    return _translated(text, language())


@lru_cache(maxsize=_KEPT)
def _translated(text: str, _language: str) -> str:
    return _said(text) or text


def _said(text: str) -> str | None:
    """Return the translation of a sentence or of several, None where no part of it is known."""
    several = _BETWEEN in text
    for template in TEMPLATES:
        if several and _BETWEEN not in template.text:
            continue
        values = match(template, text)
        shown = None if values is None else _shown(template, values)
        if shown is not None:
            return _(template.text).format(**shown)
    return _list(text, _BETWEEN) if several else None


def _shown(template: Template, values: dict[str, str]) -> dict[str, str] | None:
    """Return the values as they are shown; None where one that must be known is not."""
    shown = dict(values)
    for name, separator in template.inner.items():
        told = _list(values[name], separator) if separator else _said(values[name])
        if told is None:
            return None
        shown[name] = told
    return shown


def _list(text: str, separator: str) -> str | None:
    parts = text.split(separator)
    told = [_said(part) for part in parts]
    if not any(told):
        return None
    return separator.join(new or old for new, old in zip(told, parts, strict=True))


def match(template: Template, text: str) -> dict[str, str] | None:
    """Return the values of a template's parameters in a text, None where it is another sentence.

    Each value is the shortest that the words after it allow; none is empty. The time is linear in
    the length of the text, whatever a host says.
    """
    pieces = _pieces(template.text)
    first, last = pieces[0][0], pieces[-1][0]
    if len(pieces) == 1:
        return {} if text == first else None
    if not text.startswith(first) or not text.endswith(last):
        return None
    values, at, end = {}, len(first), len(text) - len(last)
    for (_literal, name), (literal, following) in pairwise(pieces):
        until = text.find(literal, at + 1, end) if following else end
        if until <= at:
            return None
        values[name] = text[at:until]
        at = until + len(literal)
    return None if template.words and any(" " in one for one in values.values()) else values


@cache
def _pieces(template: str) -> list[tuple[str, str]]:
    """Return (words, name of the parameter after them), the last name empty."""
    pieces = [(words, name or "") for words, name, _f, _c in string.Formatter().parse(template)]
    return pieces if not pieces[-1][1] else [*pieces, ("", "")]

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
# What the agent puts between sentences, and between the items of a list.
_SENTENCES, _ITEMS = "; ", ", "
# The agent's sentences stand in each other less deep than this; what a host makes up may not.
_DEEPEST = 6
_KEPT = 4096


def in_words(text: str) -> str:
    """Return what a host said in the operator's language; unchanged where it is not known."""
    if language() == "en" or len(text) > _LONGEST:
        return text
    return _translated(text, language())


@lru_cache(maxsize=_KEPT)
def _translated(text: str, _language: str) -> str:
    return _said(text, _DEEPEST) or text


def _said(text: str, depth: int) -> str | None:
    """Return the translation of a sentence or of several, None where no part of it is known."""
    if not depth:
        return None
    several = len(_apart(text, _SENTENCES)) > 1
    told = None if several else _list(text, _ITEMS, depth, whole=True)
    if told is not None:
        return told
    for first, last, template in _ENDS:
        if not text.startswith(first) or not text.endswith(last):
            continue
        if several and _SENTENCES not in template.text:
            continue
        values = match(template, text)
        shown = None if values is None else _shown(template, values, depth)
        if shown is not None:
            return _(template.text).format(**shown)
    return _list(text, _SENTENCES, depth) or _list(text, _ITEMS, depth)


def _shown(template: Template, values: dict[str, str], depth: int) -> dict[str, str] | None:
    """Return the values as they are shown; None where the template does not fit them."""
    told = {name: _said(values[name], depth - 1) for name in template.inner}
    if any(" " in values[name] and not told.get(name) for name in template.words):
        return None
    if not _speaks(template.text) and not any(told.values()):
        return None
    return {name: told.get(name) or value for name, value in values.items()}


def _list(text: str, separator: str, depth: int, whole: bool = False) -> str | None:
    """Return a list with its items translated, None where none is known (``whole``: not all)."""
    parts = _apart(text, separator)
    if len(parts) == 1:
        return None
    told = []
    for part in parts:
        told.append(_said(part, depth - 1))
        if whole and told[-1] is None:
            return None
    if not any(told):
        return None
    return separator.join(new or old for new, old in zip(told, parts, strict=True))


def _apart(text: str, separator: str) -> list[str]:
    """Return the parts of a list; what stands in brackets stays together."""
    if separator not in text:
        return [text]
    parts: list[str] = []
    open_brackets = 0
    for part in text.split(separator):
        if open_brackets > 0:
            parts[-1] += separator + part
        else:
            parts.append(part)
        open_brackets += part.count("(") - part.count(")")
    return parts if open_brackets == 0 else text.split(separator)


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
    return values


@cache
def _pieces(template: str) -> list[tuple[str, str]]:
    """Return (words, name of the parameter after them), the last name empty."""
    pieces = [(words, name or "") for words, name, _f, _c in string.Formatter().parse(template)]
    return pieces if not pieces[-1][1] else [*pieces, ("", "")]


@cache
def _speaks(template: str) -> bool:
    """Return whether a template has words of its own, beside its parameters."""
    return any(character.isalpha() for words, _name in _pieces(template) for character in words)


# How the texts begin and end that a template may fit: most of them are ruled out by that.
_ENDS = tuple((_pieces(each.text)[0][0], _pieces(each.text)[-1][0], each) for each in TEMPLATES)

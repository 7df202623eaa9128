"""What a control is written with: its texts, its template files, the parameters in both."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound

from orchestrator.baseline.positions import Keys
from orchestrator.baseline.rendering import parameter_names
from orchestrator.model.control import Alternatives, Control, State


def parameters_used(control: Control, template_dirs: Sequence[Path]) -> list[str]:
    """Return the parameters that decide what a control wants, by name.

    Raises TemplateNotFound and TemplateSyntaxError where a template is not sound.
    """
    found: set[str] = set()
    for keys, text in texts_of(control):
        found |= parameter_names(text)
        if keys[-1] == "template":
            found |= parameter_names(template_source(template_dirs, text))
    return sorted(found)


def template_source(template_dirs: Sequence[Path], name: str) -> str:
    """Return the text of a template file; raises TemplateNotFound."""
    for directory in template_dirs:
        if (directory / name).is_file():
            return (directory / name).read_text(encoding="utf-8")
    raise TemplateNotFound(name)


def texts_of(control: Control) -> Iterator[tuple[Keys, str]]:
    """Yield every text among the wishes of a control, with the keys that lead to it."""
    for keys, state in _states(control):
        yield from _inside((*keys, state.kind), state.want)


def _states(control: Control) -> Iterator[tuple[Keys, State]]:
    for index, wish in enumerate(control.desired):
        at: Keys = ("desired", index)
        if isinstance(wish, Alternatives):
            for i, way in enumerate(wish.any_of):
                yield from (((*at, "any_of", i, j), state) for j, state in enumerate(way))
        else:
            yield at, wish


def _inside(keys: Keys, value: Any) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _inside((*keys, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside((*keys, index), item)

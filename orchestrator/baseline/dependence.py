"""What the compiled controls of a host depend on: hosts that are alike in it share them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from orchestrator.baseline import keeping
from orchestrator.baseline.rendering import names_asked
from orchestrator.baseline.usage import template_source, texts_of
from orchestrator.model.control import Control
from orchestrator.model.host import ManagedHost

# A template that draws on other files may ask for anything.
_EVERYTHING = "*"
_UNKNOWN = "{% include what %}"


class Dependence:
    """Which of a host's own values decide what some controls want of it."""

    def __init__(self, controls: Iterable[Control], template_dirs: Sequence[Path]) -> None:
        names = {keeping.VARIABLE, keeping.SERVICES}
        for control in controls:
            declared = control.applies.get("declared", "")
            names.add(_EVERYTHING if _is_rendered(declared) else declared)
            for text in _texts(control, template_dirs):
                names |= _names(text)
        self._names = names

    def of(self, host: ManagedHost, variables: Mapping[str, Any]) -> str:
        """Return a text that is the same for hosts of which the same is wanted.

        ``variables`` are the host's own, plain data; parameters and profile are not in it.
        """
        whole = _EVERYTHING in self._names
        told = {name: variables[name] for name in variables if whole or name in self._names}
        name = host.name if whole or "host" in self._names else ""
        return json.dumps([name, host.endpoint.port, host.endpoint.user, told], sort_keys=True)


def _texts(control: Control, template_dirs: Sequence[Path]) -> Iterable[str]:
    """Yield what is rendered for a control: its values and the template files that they name."""
    yield json.dumps(control.applies)
    for keys, text in texts_of(control):
        yield text
        if keys[-1] == "template":
            try:
                yield template_source(template_dirs, text)
            except TemplateError:
                # Missing, or named by an expression: known when it is rendered.
                yield _UNKNOWN


def _names(text: str) -> set[str]:
    if not _is_rendered(text):
        return set()
    try:
        names = names_asked(text)
    except TemplateError:
        names = None  # broken: told, with its place, when it is rendered
    return {_EVERYTHING} if names is None else names


def _is_rendered(text: str) -> bool:
    return "{{" in text or "{%" in text

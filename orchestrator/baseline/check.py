"""What loading leaves open: whether every template can be rendered in every profile."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError

from orchestrator.baseline.positions import Keys, position_of
from orchestrator.baseline.rendering import unknown_names
from orchestrator.model.control import Alternatives, Baseline, Control, Profile, State
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _


def check_templates(baseline: Baseline, template_dirs: Sequence[Path]) -> list[ConfigurationError]:
    """Return what is wrong with values and template files, each thing once.

    Looks for syntax errors, files that are missing and names that no profile parameter or host
    variable can give.
    """
    checker = _Checker(tuple(template_dirs))
    for control in baseline.controls.values():
        profiles = [one for one in baseline.profiles.values() if control.id in one.controls]
        for keys, text in _texts(control):
            checker.check(control, profiles, keys, text)
    return checker.problems


class _Checker:
    def __init__(self, directories: tuple[Path, ...]) -> None:
        self.directories = directories
        self.problems: list[ConfigurationError] = []

    def check(self, control: Control, profiles: Sequence[Profile], keys: Keys, text: str) -> None:
        """Check one text of a control, and the file that it names, for all of its profiles."""
        missing: dict[str, list[str]] = {}
        try:
            sources = [text, self._source(text)] if keys[-1] == "template" else [text]
            for profile in profiles:
                for source in sources:
                    for name in unknown_names(source, profile.parameters):
                        missing.setdefault(name, []).append(profile.id)
        except TemplateNotFound:
            self._problem(control, keys, _("there is no template {name}").format(name=text))
        except TemplateSyntaxError as error:
            self._problem(control, keys, str(error.message))
        for name, ids in missing.items():
            message = _("{name} is not defined in: {profiles}")
            self._problem(control, keys, message.format(name=name, profiles=", ".join(ids)))

    def _problem(self, control: Control, keys: Keys, message: str) -> None:
        place = position_of(control, keys)
        self.problems.append(ConfigurationError(f"{control.id}: {message}", position=place))

    def _source(self, name: str) -> str:
        for directory in self.directories:
            if (directory / name).is_file():
                return (directory / name).read_text(encoding="utf-8")
        raise TemplateNotFound(name)


def _texts(control: Control) -> Iterator[tuple[Keys, str]]:
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

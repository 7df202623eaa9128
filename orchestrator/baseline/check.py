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
    found: dict[str, ConfigurationError] = {}
    for profile in baseline.profiles.values():
        for name in profile.controls:
            for error in _Checker(profile, tuple(template_dirs)).control(baseline.controls[name]):
                found.setdefault(str(error), error)
    return list(found.values())


class _Checker:
    def __init__(self, profile: Profile, directories: tuple[Path, ...]) -> None:
        self.profile = profile
        self.directories = directories

    def control(self, control: Control) -> Iterator[ConfigurationError]:
        """Yield what is wrong with one control."""
        for keys, text in _texts(control):
            try:
                yield from self._text(control, keys, text)
                if keys[-1] == "template":
                    yield from self._text(control, keys, self._source(text))
            except TemplateNotFound:
                message = _("{control}: there is no template {name}")
                yield self._error(control, keys, message.format(control=control.id, name=text))
            except TemplateSyntaxError as error:
                message = f"{control.id}: {error.message}"
                yield self._error(control, keys, message)

    def _text(self, control: Control, keys: Keys, text: str) -> Iterator[ConfigurationError]:
        for name in unknown_names(text, self.profile.parameters):
            message = _("{control}: profile {profile} does not define {name}").format(
                control=control.id, profile=self.profile.id, name=name
            )
            yield self._error(control, keys, message)

    def _source(self, name: str) -> str:
        for directory in self.directories:
            if (directory / name).is_file():
                return (directory / name).read_text(encoding="utf-8")
        raise TemplateNotFound(name)

    def _error(self, control: Control, keys: Keys, message: str) -> ConfigurationError:
        return ConfigurationError(message, position=position_of(control, keys))


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

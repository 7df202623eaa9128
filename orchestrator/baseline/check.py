"""What loading leaves open: whether every template can be rendered in every profile."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateNotFound, TemplateSyntaxError

from orchestrator.baseline.positions import Keys, position_of
from orchestrator.baseline.rendering import unknown_names
from orchestrator.baseline.usage import template_source, texts_of
from orchestrator.model.control import Baseline, Control, Profile
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
        for keys, text in texts_of(control):
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
            sources = [text]
            if keys[-1] == "template":
                sources.append(template_source(self.directories, text))
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

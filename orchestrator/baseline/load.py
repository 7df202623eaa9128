"""Baseline directories → one Baseline.

A directory holds ``controls/<chapter>.yml`` and ``profiles/<id>.yml``; the same chapter may go on
in another directory, an id may not come twice.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.baseline.consistency import Wish, conflicts, refusal
from orchestrator.baseline.controls import read_controls
from orchestrator.baseline.profiles import Declared, read_profile, resolve
from orchestrator.model.control import Baseline, Control, Profile, State
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.workspace.fields import Fields
from orchestrator.workspace.yaml_source import read


def load_baseline(directories: Sequence[Path]) -> Baseline:
    """Load all controls and profiles of ``directories``.

    Raises ConfigurationError with file, line and column for the first thing that is wrong; it
    tells how many more there are.
    """
    baseline, problems = examine(directories)
    if problems:
        first, more = problems[0], len(problems) - 1
        if more:
            count = _("{count} more: luytre baseline validate").format(count=more)
            hint = "; ".join(part for part in (first.hint, count) if part)
            raise ConfigurationError(first.message, position=first.position, hint=hint)
        raise first
    return baseline


def examine(directories: Sequence[Path]) -> tuple[Baseline, list[ConfigurationError]]:
    """Return what could be loaded and everything that is wrong, in the order of the files."""
    loading = _Loading()
    for directory in directories:
        loading.directory(directory)
    profiles = resolve(loading.declared, loading.controls)
    for declared in loading.declared.values():
        loading.problems.extend(declared.fields.problems)
    baseline = Baseline(loading.controls, profiles)
    if not loading.problems:
        loading.problems.extend(_conflicts(baseline))
    return baseline, loading.problems


class _Loading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.controls: dict[str, Control] = {}
        self.declared: dict[str, Declared] = {}
        self.problems: list[ConfigurationError] = []

    def directory(self, directory: Path) -> None:
        """Read one directory."""
        files = [*self._files(directory, "controls"), *self._files(directory, "profiles")]
        if not files:
            message = _("holds no controls/*.yml and no profiles/*.yml")
            self.problems.append(ConfigurationError(message, position=Position(str(directory))))
        for file in files:
            try:
                fields = Fields(read(file))
            except ConfigurationError as error:
                self.problems.append(error)
                continue
            if file.parent.name == "controls":
                self._chapter(file.stem, fields)
            else:
                self._profile(file.stem, fields)

    def _files(self, directory: Path, kind: str) -> list[Path]:
        for stray in sorted((directory / kind).glob("*.yaml")):
            message = _("is not read: name it {name}").format(name=f"{stray.stem}.yml")
            self.problems.append(ConfigurationError(message, position=Position(str(stray))))
        return sorted((directory / kind).glob("*.yml"))

    def _chapter(self, chapter: str, fields: Fields) -> None:
        for control in read_controls(fields.document, chapter, fields):
            other = self.controls.get(control.id)
            if other:
                message = _("the control {name!r} is declared twice; first in {place}")
                problem = message.format(name=control.id, place=other.position)
                fields.problems.append(ConfigurationError(problem, position=control.position))
            else:
                self.controls[control.id] = control
        self.problems.extend(fields.problems)

    def _profile(self, name: str, fields: Fields) -> None:
        other = self.declared.get(name)
        if other:
            message = _("the profile {name!r} is declared twice; first in {place}")
            problem = message.format(name=name, place=other.fields.document.path)
            fields.problem(problem, ())
            self.problems.extend(fields.problems)
        else:
            self.declared[name] = read_profile(name, fields, self.controls)


def _conflicts(baseline: Baseline) -> Iterator[ConfigurationError]:
    told = set()
    for profile in baseline.profiles.values():
        for conflict in conflicts(_wishes(baseline, profile)):
            if conflict not in told:
                told.add(conflict)
                message = _("{control} {message} (profile {profile})").format(
                    control=conflict.second, message=conflict.message, profile=profile.id
                )
                yield refusal(conflict, message, baseline.controls)


def _wishes(baseline: Baseline, profile: Profile) -> Iterator[Wish]:
    for name in profile.controls:
        control = baseline.controls[name]
        for state in control.desired:
            if isinstance(state, State):
                yield Wish(control.id, control.applies, state.kind, state.want)

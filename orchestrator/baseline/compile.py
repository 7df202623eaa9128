"""Baseline × profile × host → manifest."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from orchestrator.agent import schema
from orchestrator.baseline import rendering
from orchestrator.baseline.consistency import Wish, conflicts, contradictions, refusal
from orchestrator.baseline.dependence import Dependence
from orchestrator.baseline.keeping import applies_here, refuse_unknown
from orchestrator.baseline.levels import profile_for, profiles_named
from orchestrator.baseline.parameters import parameters_for
from orchestrator.baseline.positions import Keys, position_of
from orchestrator.baseline.together import join_mounts
from orchestrator.baseline.variables import needed_form, ours
from orchestrator.model.control import Alternatives, Baseline, Control, Profile, State
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.host_words import in_words
from orchestrator.model.i18n import _
from orchestrator.model.manifest import Manifest, Wishes
from orchestrator.model.nearest import known_hint

# A kind's ``template`` is rendered into this field.
_RENDERED = {"file": "content", "nft": "ruleset"}


class FleetCompiler:
    """Compiles the manifests of many hosts; what is the same for several is worked out once.

    ``profile_id`` may name profiles by level (``tcvn``); then the host's level chooses.
    ``chapters`` and ``controls`` narrow the profile (both: the union); empty means all of it.
    """

    def __init__(
        self,
        baseline: Baseline,
        profile_id: str,
        template_dirs: Sequence[Path],
        *,
        chapters: Sequence[str] = (),
        controls: Sequence[str] = (),
    ) -> None:
        self._baseline = baseline
        self._profile_id = profile_id
        self._template_dirs = tuple(template_dirs)
        self._narrowed = chapters, controls
        self._chosen: dict[str, tuple[list[Control], Dependence]] = {}
        self._compiled: dict[str, Wishes] = {}

    def manifest(self, host: ManagedHost) -> Manifest:
        """Compile everything desired of one host.

        Raises ConfigurationError: unknown profile, chapter, control, parameter or kept service; a
        value that is not defined or not accepted (with control, state, file, line and host); wishes
        that exclude each other.
        """
        profile = profile_for(self._baseline, self._profile_id, host)
        parameters = parameters_for(self._baseline, profile, host)
        refuse_unknown(self._baseline, host)
        chosen, dependence = self._choice(profile)
        alike = dependence.of(host, ours(host.name, host.variables))
        key = json.dumps([profile.id, parameters, alike], sort_keys=True)
        if key not in self._compiled:
            compiler = _Compiler(parameters, host, self._template_dirs)
            self._compiled[key] = Wishes(compiler.controls(chosen))
        return Manifest(host.name, profile.id, self._compiled[key])

    def _choice(self, profile: Profile) -> tuple[list[Control], Dependence]:
        if profile.id not in self._chosen:
            family = profiles_named(self._baseline, self._profile_id)
            chosen = select(self._baseline, profile, *self._narrowed, family)
            self._chosen[profile.id] = chosen, Dependence(chosen, self._template_dirs)
        return self._chosen[profile.id]


def compile_manifest(
    baseline: Baseline,
    profile_id: str,
    host: ManagedHost,
    template_dirs: Sequence[Path],
    **narrowed: Sequence[str],
) -> Manifest:
    """Compile everything desired of one host; takes and raises what FleetCompiler does."""
    return FleetCompiler(baseline, profile_id, template_dirs, **narrowed).manifest(host)


def control_named(baseline: Baseline, name: str) -> Control:
    """Return a control; raises ConfigurationError with the nearest names."""
    if name not in baseline.controls:
        raise _unknown(_("there is no control {name!r}"), name, baseline.controls)
    return baseline.controls[name]


def select(
    baseline: Baseline,
    profile: Profile,
    chapters: Iterable[str],
    controls: Iterable[str],
    family: Sequence[Profile] = (),
) -> list[Control]:
    """Return the profile's controls, narrowed, in the order of declaration.

    Raises ConfigurationError that lists what exists where a chapter or control is neither in it
    nor in another profile of its ``family``.
    """
    all_controls = [baseline.controls[name] for name in profile.controls]
    wanted_chapters, wanted = set(chapters), set(controls)
    if not wanted_chapters and not wanted:
        return all_controls
    known = dict.fromkeys(name for one in (profile, *family) for name in one.controls)
    known_chapters = dict.fromkeys(baseline.controls[name].chapter for name in known)
    for name in sorted(wanted_chapters - set(known_chapters)):
        message = _("profile {profile} has no chapter {{name!r}}").format(profile=profile.id)
        raise _missing(message, name, known_chapters, baseline)
    for name in sorted(wanted - set(known)):
        message = _("profile {profile} has no control {{name!r}}").format(profile=profile.id)
        raise _missing(message, name, known, baseline)
    return [one for one in all_controls if one.chapter in wanted_chapters or one.id in wanted]


class _Compiler:
    """Renders controls for one host."""

    def __init__(
        self, parameters: Mapping[str, Any], host: ManagedHost, directories: tuple[Path, ...]
    ) -> None:
        self.host = host
        self.templates = rendering.templates(directories)
        self.context = rendering.context_for(host, parameters)
        self.rendered = 0

    def controls(self, chosen: Sequence[Control]) -> list[dict[str, Any]]:
        """Return controls as the manifest says them."""
        compiled = [self._control(control) for control in chosen]
        self._refuse_conflicts(chosen, compiled)
        join_mounts(compiled)
        return compiled

    def _control(self, control: Control) -> dict[str, Any]:
        """Return one control as the manifest says it.

        Where it waits for a variable that the host has not, there is nothing to desire.
        """
        applies = applies_here(self._value(control, control.applies, ("applies",)), self.host)
        desired = () if "undeclared" in applies else control.desired
        return {
            "id": control.id,
            "severity": control.severity.value,
            "risk": control.risk.value,
            "applies": applies,
            "desired": [
                self._wish(control, wish, ("desired", index)) for index, wish in enumerate(desired)
            ],
        }

    def _refuse_conflicts(self, chosen: Sequence[Control], compiled: Sequence[Any]) -> None:
        """Raise ConfigurationError where two controls cannot both hold on this host."""
        wishes = (
            Wish(control["id"], control["applies"], state["kind"], state["want"])
            for control in compiled
            for state in control["desired"]
            if "kind" in state
        )
        for conflict in conflicts(wishes):
            message = f"{self.host.name}: {conflict.second} {conflict.message}"
            raise refusal(conflict, message, {control.id: control for control in chosen})

    def _wish(self, control: Control, wish: State | Alternatives, at: Keys) -> dict[str, Any]:
        if isinstance(wish, State):
            return self._state(control, wish, at)
        return {
            "any_of": [
                [self._state(control, state, (*at, "any_of", i, j)) for j, state in enumerate(way)]
                for i, way in enumerate(wish.any_of)
            ]
        }

    def _state(self, control: Control, state: State, at: Keys) -> dict[str, Any]:
        at, before = (*at, state.kind), self.rendered
        want = {
            name: self._value(control, value, (*at, name)) for name, value in state.want.items()
        }
        if "template" in want and state.kind in _RENDERED:
            name = want.pop("template")
            self.rendered += 1
            want[_RENDERED[state.kind]] = self._file(control, name, (*at, "template"))
        if self.rendered > before:
            self._check(control, state.kind, want, at)
        return {"kind": state.kind, "want": want}

    def _check(self, control: Control, kind: str, want: dict[str, Any], at: Keys) -> None:
        """Check a rendered state; one without templates was checked when it was loaded."""
        for key, message in schema.problems(kind, want) or contradictions(kind, want):
            raise self._error(control, in_words(message), at if key is None else (*at, key))

    def _value(self, control: Control, value: Any, at: Keys) -> Any:
        if isinstance(value, str):
            if "{{" not in value and "{%" not in value:
                return value
            self.rendered += 1
            try:
                return self.templates.value(value, self.context)
            except rendering.ERRORS as error:
                raise self._not_rendered(control, error, at) from error
        if isinstance(value, list):
            return [self._value(control, item, (*at, index)) for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: self._value(control, item, (*at, key)) for key, item in value.items()}
        return value

    def _file(self, control: Control, name: str, at: Keys) -> str:
        try:
            return self.templates.file(name, self.context)
        except rendering.ERRORS as error:
            line = rendering.line_of(error, name)
            where = f"templates/{name}:{line}" if line else f"templates/{name}"
            raise self._not_rendered(control, error, at, where) from error

    def _not_rendered(
        self, control: Control, error: Exception, at: Keys, where: str = ""
    ) -> ConfigurationError:
        hint = ""
        if isinstance(error, UndefinedError):
            reason = _("{name} is not defined").format(name=error.message)
            hint = needed_form(str(error.message))
        elif type(error).__name__ == "TemplateNotFound":
            reason = _("there is no such template")
        else:
            reason = str(error)
        return self._error(control, f"{where}: {reason}" if where else reason, at, hint)

    def _error(
        self, control: Control, message: str, at: Keys, hint: str = ""
    ) -> ConfigurationError:
        state = ".".join(str(key) for key in at[1:])
        text = f"{self.host.name}: {control.id} ({state}): {message}"
        return ConfigurationError(text, position=position_of(control, at), hint=hint)


def _missing(
    message: str, name: str, known: Iterable[str], baseline: Baseline
) -> ConfigurationError:
    """Return the error for a chapter or control that a profile has not; others may have it."""
    having = [
        profile.id
        for profile in baseline.profiles.values()
        if any(name in (one, baseline.controls[one].chapter) for one in profile.controls)
    ]
    if not having:
        return _unknown(message, name, known)
    hint = _("these profiles have it: {names}").format(names=", ".join(sorted(having)))
    return ConfigurationError(message.format(name=name), hint=hint)


def _unknown(message: str, name: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError(message.format(name=name), hint=known_hint(name, known))

"""The parameters that count for one host: its profile's, and what its own variables override."""

from typing import Any

from orchestrator.baseline.variables import PARAMETER
from orchestrator.model.control import Baseline, Profile
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint


def parameters_for(baseline: Baseline, profile: Profile, host: ManagedHost) -> dict[str, Any]:
    """Return the profile's parameters, each overridden by the host's ``luytre_param_NAME``.

    A parameter that only other profiles have is passed over: group variables may serve several.
    Raises ConfigurationError with the variable's place where no profile knows it, or where its
    value is of another type.
    """
    own = own_parameters(host)
    for name, value in own.items():
        wrong, hint = _problem(baseline, name, value)
        if wrong:
            message, place = f"{host.name}: {PARAMETER}{name}: {wrong}", PARAMETER + name
            raise ConfigurationError(message, position=host.places.get(place), hint=hint)
    return {name: own.get(name, value) for name, value in profile.parameters.items()}


def own_parameters(host: ManagedHost) -> dict[str, Any]:
    """Return what the host's variables override, by the parameters' names."""
    given = host.variables.items()
    return {name.removeprefix(PARAMETER): v for name, v in given if name.startswith(PARAMETER)}


def _problem(baseline: Baseline, name: str, value: Any) -> tuple[str, str]:
    """Return what is wrong with an override, and a hint; empty where nothing is."""
    profiles = baseline.profiles.values()
    having = [profile for profile in profiles if name in profile.parameters]
    if not having:
        known = dict.fromkeys(each for profile in profiles for each in profile.parameters)
        return _("no profile has such a parameter"), known_hint(name, known)
    for profile in having:
        usual = profile.parameters[name]
        if type(value) is not type(usual):
            message = _("expected {form}, as in profile {profile}: {value}")
            return message.format(form=_form(usual), profile=profile.id, value=usual), ""
    return "", ""


def _form(value: Any) -> str:
    if isinstance(value, bool):
        return _("true or false")
    if isinstance(value, int):
        return _("a whole number")
    return _("a list") if isinstance(value, list) else _("text")

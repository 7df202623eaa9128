"""Which profile counts for a host: the one that is named, or the one of the host's own level.

A name that is no profile but the common start of ``NAME-level-1`` … ``NAME-level-5`` (``tcvn``)
means to each host the profile of its ``luytre_level``.
"""

from collections.abc import Iterable

from orchestrator.model.control import Baseline, Profile
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint, meant_hint

LEVELS = range(1, 6)


def profile_of(baseline: Baseline, profile_id: str) -> Profile:
    """Return a profile; raises ConfigurationError that lists what exists."""
    if profile_id not in baseline.profiles:
        by_level = [profile.id for profile in levels_of(baseline, profile_id).values()]
        known = [*baseline.profiles, *_families(baseline)]
        hint = meant_hint(by_level) if by_level else known_hint(profile_id, known)
        raise ConfigurationError(
            _("there is no profile {name!r}").format(name=profile_id), hint=hint
        )
    return baseline.profiles[profile_id]


def profile_for(baseline: Baseline, name: str, host: ManagedHost) -> Profile:
    """Return the profile that ``name`` means to a host.

    Raises ConfigurationError where there is none, or where the host does not say its level.
    """
    by_level = levels_of(baseline, name)
    if not by_level:
        return profile_of(baseline, name)
    if host.level is None:
        message = _("{host}: luytre_level is not set, and profile {name} goes by it")
        hint = _("set it in the inventory, or name a profile in the settings: {names}")
        raise ConfigurationError(
            message.format(host=host.name, name=name),
            hint=hint.format(names=", ".join(profile.id for profile in by_level.values())),
        )
    if host.level not in by_level:
        message = _("{host}: there is no profile {name} for its level")
        wanted = f"{name}-level-{host.level}"
        raise ConfigurationError(message.format(host=host.name, name=wanted))
    return by_level[host.level]


def profiles_named(baseline: Baseline, name: str) -> tuple[Profile, ...]:
    """Return every profile that ``name`` can mean; raises ConfigurationError where none."""
    by_level = levels_of(baseline, name)
    return tuple(by_level.values()) or (profile_of(baseline, name),)


def levels_of(baseline: Baseline, name: str) -> dict[int, Profile]:
    """Return the profiles of a family by level; empty where ``name`` is no family."""
    if name in baseline.profiles:
        return {}
    wanted = {level: f"{name}-level-{level}" for level in LEVELS}
    return {n: baseline.profiles[one] for n, one in wanted.items() if one in baseline.profiles}


def _families(baseline: Baseline) -> Iterable[str]:
    starts = (profile.rpartition("-level-")[0] for profile in baseline.profiles)
    return dict.fromkeys(start for start in starts if start and levels_of(baseline, start))

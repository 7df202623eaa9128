"""What two profiles want differently, be it of one baseline or of two versions of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from orchestrator.model.control import Baseline, Control, Profile

_SAME_WISH = ("title", "why", "position", "id")


@dataclass(frozen=True)
class Difference:
    """From one profile to another.

    ``changed`` maps controls of both to the fields that they declare differently. ``parameters``
    maps names to (before, after); None where the profile has none of that name.
    """

    before: Profile
    after: Profile
    added: tuple[Control, ...]
    removed: tuple[Control, ...]
    changed: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, tuple[Any, Any]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.parameters)


def compare(before: tuple[Baseline, Profile], after: tuple[Baseline, Profile]) -> Difference:
    """Return what the second profile wants differently from the first, in order of declaration.

    Texts for people (title, why) are no difference.
    """
    (old_baseline, old), (new_baseline, new) = before, after
    both = [name for name in new.controls if name in old.controls]
    pairs = {name: (old_baseline.controls[name], new_baseline.controls[name]) for name in both}
    changed = {name: _changed(*pair) for name, pair in pairs.items()}
    names = dict.fromkeys([*old.parameters, *new.parameters])
    values = {name: (old.parameters.get(name), new.parameters.get(name)) for name in names}
    return Difference(
        before=old,
        after=new,
        added=tuple(new_baseline.controls[n] for n in new.controls if n not in old.controls),
        removed=tuple(old_baseline.controls[n] for n in old.controls if n not in new.controls),
        changed={name: found for name, found in changed.items() if found},
        parameters={name: (a, b) for name, (a, b) in values.items() if a != b},
    )


def _changed(old: Control, new: Control) -> tuple[str, ...]:
    names = (field.name for field in fields(Control) if field.name not in _SAME_WISH)
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))

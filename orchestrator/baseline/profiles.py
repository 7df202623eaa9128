"""Profiles: which controls count, and with which parameters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.baseline.controls import bilingual
from orchestrator.model.control import Control, Profile, Text
from orchestrator.model.i18n import _
from orchestrator.workspace.fields import Fields, Path

FIELDS = ("title", "extends", "controls", "except", "parameters")
_PARAMETER = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class Declared:
    """A profile as its file says it, before ``extends`` is resolved.

    ``known`` are the controls of its own directory and of those before it. No other can be meant by
    all of them, or all of a chapter: what an operator adds is not a part of what was there.
    """

    id: str
    known: frozenset[str]
    fields: Fields
    title: Text
    extends: tuple[str, ...]
    chosen: tuple[Any, ...]
    excluded: tuple[str, ...]
    parameters: Mapping[str, Any]


def read_profile(profile_id: str, fields: Fields, known: Iterable[str]) -> Declared:
    """Read one profile's file; what is wrong goes into ``fields.problems``."""
    given = fields.mapping(fields.document.data, (), FIELDS, required=("title",))
    return Declared(
        id=profile_id,
        known=frozenset(known),
        fields=fields,
        title=bilingual(fields, given.get("title", {"en": "-", "vi": "-"}), ("title",)),
        extends=_one_or_more(fields, given.get("extends", []), ("extends",)),
        chosen=tuple(fields.items(given.get("controls", []), ("controls",))),
        excluded=fields.texts(given.get("except", []), ("except",)),
        parameters=_parameters(fields, given.get("parameters", {})),
    )


def resolve(
    declared: Mapping[str, Declared], controls: Mapping[str, Control]
) -> dict[str, Profile]:
    """Return the profiles with everything that they extend; problems go into their ``fields``."""
    resolver = _Resolver(declared, controls)
    return {name: resolver.profile(name) for name in declared}


class _Resolver:
    """Follows ``extends`` once per profile."""

    def __init__(self, declared: Mapping[str, Declared], controls: Mapping[str, Control]) -> None:
        self.declared = declared
        self.controls = controls
        self.done: dict[str, Profile] = {}
        self.lineage: dict[str, dict[str, None]] = {}
        self.chapters: dict[str, list[str]] = {}
        for control in controls.values():
            self.chapters.setdefault(control.chapter, []).append(control.id)

    def profile(self, name: str, above: tuple[str, ...] = ()) -> Profile:
        """Return the resolved profile; ``above`` are those whose ``extends`` led here."""
        if name in self.done:
            return self.done[name]
        own = self.declared[name]
        parents = [
            self.profile(parent, (*above, name))
            for index, parent in enumerate(own.extends)
            if self._may_extend(own, parent, index, (*above, name))
        ]
        chosen = {control for parent in parents for control in parent.controls}
        chosen |= self._chosen(own)
        chosen -= self._excluded(own)
        ordered = tuple(control for control in self.controls if control in chosen)
        self.done[name] = Profile(name, own.title, ordered, self._parameters(name, parents))
        return self.done[name]

    def _parameters(self, name: str, parents: Iterable[Profile]) -> dict[str, Any]:
        """Return the parameters of a profile: its own, then its parents', the last one first.

        What two parents have from one profile above them counts once, below both: it does not
        take back what only one of them sets anew.
        """
        above = (each for parent in parents for each in self.lineage[parent.id])
        self.lineage[name] = dict.fromkeys([*above, name])
        parameters: dict[str, Any] = {}
        for each in self.lineage[name]:
            parameters.update(self.declared[each].parameters)
        return parameters

    def _may_extend(self, own: Declared, parent: str, index: int, above: tuple[str, ...]) -> bool:
        at: Path = ("extends", index)
        if parent in above:
            circle = " → ".join((*above, parent))
            own.fields.problem(_("extends itself: {circle}").format(circle=circle), at)
        elif parent not in self.declared:
            self._unknown(own, _("unknown profile {name!r}"), parent, at, self.declared)
        else:
            return True
        return False

    def _chosen(self, own: Declared) -> set[str]:
        chosen: set[str] = set()
        for index, item in enumerate(own.chosen):
            at: Path = ("controls", index)
            if item == "all":
                chosen.update(own.known)
            elif isinstance(item, dict) and set(item) == {"chapter"}:
                chapter = str(item["chapter"])
                if chapter not in self.chapters:
                    place = (*at, "chapter")
                    self._unknown(own, _("unknown chapter {name!r}"), chapter, place, self.chapters)
                chosen.update(own.known.intersection(self.chapters.get(chapter, [])))
            elif not isinstance(item, str):
                own.fields.problem(_("must be all, {chapter: …} or the id of a control"), at)
            elif item in self.controls:
                chosen.add(item)
            else:
                self._unknown(own, _("unknown control {name!r}"), item, at, self.controls)
        return chosen

    def _excluded(self, own: Declared) -> set[str]:
        for index, item in enumerate(own.excluded):
            if item not in self.controls:
                place: Path = ("except", index)
                self._unknown(own, _("unknown control {name!r}"), item, place, self.controls)
        return set(own.excluded)

    def _unknown(
        self, own: Declared, message: str, name: str, at: Path, known: Iterable[str]
    ) -> None:
        hint = _("known: {names}").format(names=", ".join(known))
        own.fields.problem(message.format(name=name), at, hint=hint)


def _one_or_more(fields: Fields, value: Any, at: Path) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else fields.texts(value, at)


def _parameters(fields: Fields, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        fields.problem(_("must be a map of names to values"), ("parameters",))
        return {}
    for name in value:
        if not _PARAMETER.match(name):
            message = _("a parameter is named by lower-case letters, digits and underscores")
            fields.problem(message, ("parameters", name), key=True)
    return value

"""A control taken apart for people: what is looked at, what is wanted, by which parameters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.agent import schema
from orchestrator.agent.conditions import describe
from orchestrator.baseline.usage import parameters_used
from orchestrator.model.control import Alternatives, Baseline, Control, State

_EXPRESSION = re.compile(r"\{\{\s*((?:(?!\{\{|\}\}).)*?)\s*\}\}")
_PARAMETER = re.compile(r"\bparam\.(\w+)")
_MOST_ITEMS = 10


@dataclass(frozen=True)
class StateWords:
    """One state: its kind, what that kind looks at, and (name, wanted value) pairs.

    The names are those of settings, or (``thing``) fields that describe one thing together. A value
    that comes from a parameter is written ``<name of the parameter>``.
    """

    kind: str
    about: str
    wanted: tuple[tuple[str, str], ...]
    thing: bool


@dataclass(frozen=True)
class Explanation:
    """What a control wants, and by which profile with which values.

    ``wishes`` holds for each wish its alternatives (one, unless either is enough), each a list of
    states. ``parameters`` maps each parameter that counts to its value by profile.
    """

    control: Control
    wishes: tuple[tuple[tuple[StateWords, ...], ...], ...]
    profiles: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of its states, each once."""
        states = (state for ways in self.wishes for way in ways for state in way)
        return tuple(dict.fromkeys(state.kind for state in states))


def explain(baseline: Baseline, control: Control, template_dirs: Sequence[Path]) -> Explanation:
    """Return what a control of the baseline wants.

    Raises jinja2's TemplateError where a template of it is missing or not sound.
    """
    profiles = [one for one in baseline.profiles.values() if control.id in one.controls]
    names = parameters_used(control, template_dirs)
    return Explanation(
        control=control,
        wishes=tuple(tuple(_ways(wish)) for wish in control.desired),
        profiles=tuple(profile.id for profile in profiles),
        parameters={
            name: {one.id: one.parameters[name] for one in profiles if name in one.parameters}
            for name in names
        },
    )


def _ways(wish: State | Alternatives) -> Iterator[tuple[StateWords, ...]]:
    ways = wish.any_of if isinstance(wish, Alternatives) else ((wish,),)
    for way in ways:
        yield tuple(_words(state) for state in way)


def _words(state: State) -> StateWords:
    kind = schema.KINDS[state.kind]
    told = _condition if kind.mapping else _value
    wanted = tuple((str(name), told(value)) for name, value in state.want.items())
    return StateWords(state.kind, kind.doc, wanted, thing=not kind.mapping)


def _condition(value: Any) -> str:
    return _named(describe(value))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        shown = [_value(item) for item in value[:_MOST_ITEMS]]
        return ", ".join([*shown, f"… ({len(value)})"] if value[_MOST_ITEMS:] else shown)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(item)}" for name, item in value.items())
    return _named(str(value))


def _named(text: str) -> str:
    return _EXPRESSION.sub(lambda found: _PARAMETER.sub(r"<\1>", found[1]), text)

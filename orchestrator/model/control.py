"""Controls: the requirements of the baseline, each declared once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.model.errors import Position
from orchestrator.model.finding import Risk, Severity


@dataclass(frozen=True)
class Text:
    """One text in both languages."""

    en: str
    vi: str

    def in_language(self, language: str) -> str:
        """Return the text in ``vi`` or ``en``."""
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True)
class State:
    """One desired state of one kind, as declared (values may still be templates)."""

    kind: str
    want: Mapping[str, Any]


@dataclass(frozen=True)
class Alternatives:
    """Either/or: one of several lists of states is enough; the first is what apply builds."""

    any_of: tuple[tuple[State, ...], ...]


@dataclass(frozen=True)
class Control:
    """One requirement: text, severity, risk, references, applicability, desired states.

    ``refs`` maps a benchmark with its version (``cis-debian-12``) to item numbers.
    """

    id: str
    chapter: str
    title: Text
    why: Text
    severity: Severity
    risk: Risk
    desired: tuple[State | Alternatives, ...]
    applies: Mapping[str, Any] = field(default_factory=dict)
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    position: Position | None = None


@dataclass(frozen=True)
class Profile:
    """A selection of controls with parameters; ``extends`` was already resolved."""

    id: str
    title: Text
    controls: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """All controls by id, in the order of declaration, and all profiles by id."""

    controls: Mapping[str, Control]
    profiles: Mapping[str, Profile]

"""What an operator selected and agreed to on the command line."""

from collections.abc import Set
from dataclasses import dataclass

from orchestrator.model.impact import ImpactName
from orchestrator.model.waves import Waves


@dataclass(frozen=True)
class Selection:
    """Ansible's host pattern, chapters and controls of the baseline; empty means all."""

    limit: str | None = None
    chapters: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """Return the part of the baseline as text; empty for the whole."""
        return " ".join((*self.chapters, *self.controls))


@dataclass(frozen=True)
class Consent:
    """What was agreed to beforehand: ``--yes``, and the number of hosts expected to be changed."""

    yes: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Terms:
    """What an operator agreed to of a change: whether, despite which impacts, in which waves."""

    consent: Consent
    accepted: Set[ImpactName]
    waves: Waves

"""What an operator selected and agreed to on the command line."""

from collections.abc import Set
from dataclasses import dataclass

from orchestrator.model.impact import ImpactName
from orchestrator.model.waves import Waves


@dataclass(frozen=True)
class Selection:
    """Ansible's host pattern, chapters and controls of the baseline; empty means all.

    ``without`` are controls that are to be taken out although the baseline wants them, and nothing
    else is done then; ``forced``: also what somebody else has changed since.
    """

    limit: str | None = None
    chapters: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    forced: bool = False

    @property
    def part(self) -> str:
        """Return the part of the baseline as text; empty for the whole."""
        return " ".join((*self.chapters, *self.controls))

    @property
    def recorded(self) -> str:
        """Return the same, and what is to be taken out, as the record of a run keeps it."""
        return " ".join((*self.chapters, *self.controls, *(f"-{one}" for one in self.without)))


@dataclass(frozen=True)
class Consent:
    """What was agreed to beforehand: ``--yes``, and the number of hosts expected to be changed."""

    yes: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Terms:
    """What an operator agreed to of a change: whether, despite which impacts, in which waves.

    ``without_backup`` is why servers without a proved backup are changed too; empty: they are not.
    """

    consent: Consent
    accepted: Set[ImpactName]
    without_backup: str
    waves: Waves

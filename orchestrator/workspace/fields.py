"""Reading the fields of a YAML document: every wrong one is collected with its place."""

from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.model.nearest import known_hint
from orchestrator.workspace.yaml_source import Document

Path = tuple[str | int, ...]


class Fields:
    """Checks values of one document; ``at`` is the path of keys that leads to a value.

    A check returns the value, or a stand-in of the same type after it noted a problem, so that
    one reading finds everything that is wrong. ``problems`` holds them in the order of finding.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[ConfigurationError] = []

    def problem(self, message: str, at: Path, *, key: bool = False, hint: str = "") -> None:
        """Note that the value (or the key) at ``at`` is wrong."""
        self.problems.append(self.document.error(message, at, key=key, hint=hint))

    def raise_first(self) -> None:
        """Raise the first problem, if there is one."""
        if self.problems:
            raise self.problems[0]

    def mapping(
        self, value: Any, at: Path, known: Collection[str], required: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the known fields of a map; unknown and missing ones are problems."""
        if not isinstance(value, dict):
            self.problem(_("must be a map of {names}").format(names=", ".join(known)), at)
            return {}
        for name in value:
            if name not in known:
                message = _("unknown field {name!r}").format(name=name)
                self.problem(
                    message, (*at, name), key=True, hint=known_hint(str(name), sorted(known))
                )
        for name in required:
            if name not in value:
                self.problem(_("the field {name!r} is missing").format(name=name), at)
        return {name: item for name, item in value.items() if name in known}

    def items(self, value: Any, at: Path) -> list[Any]:
        """Return a list as it is."""
        if isinstance(value, list):
            return value
        self.problem(_("must be a list"), at)
        return []

    def text(self, value: Any, at: Path) -> str:
        """Return text that is not empty."""
        if isinstance(value, str) and value.strip():
            return value
        self.problem(_("must be text"), at)
        return ""

    def texts(self, value: Any, at: Path) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self.items(value, at)
        return tuple(self.text(item, (*at, index)) for index, item in enumerate(found))

    def integer(self, value: Any, at: Path, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        message = _("must be a whole number from {low} to {high}").format(low=low, high=high)
        self.problem(message, at)
        return low

    def choice(self, value: Any, at: Path, choices: Sequence[str]) -> str:
        """Return one of ``choices``."""
        if isinstance(value, str) and value in choices:
            return value
        self.problem(_("must be one of {choices}").format(choices=", ".join(choices)), at)
        return choices[0]

"""A backup of the controller's own state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.model.record import LogHead

FORMAT = 1


@dataclass(frozen=True)
class OwnBackup:
    """What a backup of a workspace says of itself.

    ``created`` is ISO 8601 in UTC; ``directory`` is where the workspace lay, ``revision`` that of
    its store, ``head`` the newest entry of its audit log.
    """

    tool: str
    revision: str
    created: str
    operator: str
    controller: str
    directory: str
    head: LogHead
    format: int = FORMAT

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> "OwnBackup":
        """Return it from plain data; raises KeyError, TypeError, ValueError where it is none."""
        head = LogHead(int(told["head"]["seq"]), str(told["head"]["hash"]))
        names = ("tool", "revision", "created", "operator", "controller", "directory")
        return cls(**{name: str(told[name]) for name in names}, head=head, format=told["format"])

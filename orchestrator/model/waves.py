"""Waves: which hosts are changed together, and when a change stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Item = TypeVar("Item")

# Above so many hosts a change begins with a canary, unless it was told otherwise.
MANY = 10


class OnFailure(StrEnum):
    """What becomes of the hosts that were confirmed when too many others failed."""

    STOP = "stop"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Waves:
    """The first ``canaries`` hosts, then ``batch`` at a time; 0: no canaries, all the rest at once.

    ``canaries`` None: one where many hosts are changed, otherwise none. More than ``max_fail``
    failed hosts end the change: no other wave begins.
    """

    canaries: int | None = None
    batch: int = 0
    max_fail: int = 0
    on_failure: OnFailure = OnFailure.STOP

    def split(self, hosts: Sequence[Item]) -> list[Sequence[Item]]:
        """Return the hosts in waves, in the order given; no wave is empty."""
        canaries = int(len(hosts) > MANY) if self.canaries is None else self.canaries
        rest = hosts[canaries:]
        size = self.batch or max(len(rest), 1)
        batches = [rest[at : at + size] for at in range(0, len(rest), size)]
        return [wave for wave in (hosts[:canaries], *batches) if wave]


ALL_AT_ONCE = Waves(canaries=0)

"""A host as this machine runs it, whatever it runs in."""

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

from orchestrator.lab import cgroups, network
from orchestrator.lab.address import Plan
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _

Completed = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True)
class Machine(ABC):
    """One host; ``directory`` holds its disk and console log."""

    pause: ClassVar[float] = 0.05
    """Seconds between two looks at a host that boots."""

    name: str
    plan: Plan
    index: int
    hidden: bool
    directory: Path

    @property
    def group(self) -> Path:
        """Its control group."""
        return cgroups.group(self.plan.number, self.index)

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return self.plan.address(self.index, hidden=self.hidden)

    @property
    def bridge(self) -> str:
        """The bridge that it hangs on."""
        return self.plan.hidden_bridge if self.hidden else self.plan.bridge

    @property
    def link(self) -> str:
        """The machine's end of its link."""
        return self.plan.link(self.index)

    @property
    @abstractmethod
    def leader(self) -> int | None:
        """The process whose end is the host's end, None while it is down."""

    @property
    @abstractmethod
    def boot(self) -> str:
        """What tells one boot from another; raises LabError when nobody answers."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what a host that is down boots from."""

    @abstractmethod
    def start(self) -> None:
        """Boot a host that is down; returns at once. Its processes outlive us and our terminal."""

    @abstractmethod
    def ready(self, former: str) -> bool:
        """Whether ``ops`` can log in: address set, sshd listening, logins no longer held back.

        ``former`` is a boot that does not count. No connection is made: sshd of Debian 13
        penalises those that do not log in.
        """

    @abstractmethod
    def execute(self, argv: Sequence[str], stdin: bytes | None, timeout: float) -> Completed:
        """Run ``argv`` as root inside and return how it ended.

        Standard input is empty unless given. Raises LabError after ``timeout`` seconds; then
        everything that was started has been killed.
        """

    @abstractmethod
    def become(self, argv: Sequence[str]) -> NoReturn:
        """End as ``argv`` does, run as root inside with our terminal."""

    @abstractmethod
    def write_hosts(self, addresses: dict[str, str]) -> None:
        """Tell the host the names and addresses of the lab, where it can be told now."""

    def stop(self) -> None:
        """Kill the host at once, as a power cut would."""
        cgroups.end(self.group)
        network.delete_link(self.link)

    def wait_ready(self, timeout: float, *, former: str = "") -> None:
        """Wait until the host is ready; raise LabError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self.ready(former):
            if time.monotonic() > deadline:
                raise LabError(
                    _("{host} did not come up within {seconds:.0f} s").format(
                        host=self.name, seconds=timeout
                    ),
                    hint=self._last_words(),
                )
            time.sleep(self.pause)

    def _last_words(self) -> str:
        console = self.directory / "console.log"
        if not console.exists():
            return ""
        return console.read_bytes()[-1500:].decode(errors="replace").strip()

"""Which lab holds which number, and the machine's switches that labs share.

Whoever reads and then changes claims, or makes and removes what belongs to a number (bridges,
table, control groups), holds ``lock()``.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.address import NUMBERS, Plan
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _


@dataclass(frozen=True)
class Registry:
    """The claims of a machine, kept in ``directory``.

    ``switches`` are sysctl files and the least value that labs need; what they were before the
    first lab is kept beside the claims.
    """

    directory: Path
    switches: Mapping[Path, int]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep all other labs of this machine from claiming and releasing."""
        self._claims.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def claimed(self, state_dir: Path) -> Plan | None:
        """Return the plan of the lab in ``state_dir``, None when it holds no number."""
        for claim in sorted(self._claims.glob("*")):
            with contextlib.suppress(FileNotFoundError):  # released by another lab meanwhile
                if claim.read_text() == str(state_dir):
                    return Plan(int(claim.name))
        return None

    def claim(
        self, state_dir: Path, preferred: int | None, is_free: Callable[[Plan], bool]
    ) -> Plan:
        """Give the lab in ``state_dir`` a number; it keeps the one it holds.

        The switches are set to what labs need. ``preferred`` is tried first. Raises LabError when
        every number is taken.
        """
        plan = self.claimed(state_dir) or self._first_free(preferred, is_free)
        (self._claims / str(plan.number)).write_text(str(state_dir))
        for switch, needed in self.switches.items():
            self._raise(switch, needed)
        return plan

    def release(self, plan: Plan) -> None:
        """Give a number back; the last lab puts the switches back as they were."""
        (self._claims / str(plan.number)).unlink(missing_ok=True)
        if not any(self._claims.iterdir()):
            for switch in self.switches:
                self._restore(switch)

    @property
    def _claims(self) -> Path:
        return self.directory / "claims"

    def _first_free(self, preferred: int | None, is_free: Callable[[Plan], bool]) -> Plan:
        for number in (*([] if preferred is None else [preferred]), *NUMBERS):
            if not (self._claims / str(number)).exists() and is_free(Plan(number)):
                return Plan(number)
        raise LabError(_("no network between 10.213.0.0 and 10.213.255.0 is free for this lab"))

    def _raise(self, switch: Path, needed: int) -> None:
        present = int(switch.read_text())
        former = self.directory / switch.name
        if present < needed:
            if not former.exists():
                former.write_text(f"{present}\n")
            switch.write_text(f"{needed}\n")

    def _restore(self, switch: Path) -> None:
        former = self.directory / switch.name
        if former.exists():
            switch.write_text(former.read_text())
            former.unlink()


# a booted host holds about eight inotify instances, all of them root's, who may have 128
MACHINE = Registry(
    Path("/run/luytre-lab"),
    {
        Path("/proc/sys/net/ipv4/ip_forward"): 1,
        Path("/proc/sys/fs/inotify/max_user_instances"): 16384,
        Path("/proc/sys/fs/inotify/max_user_watches"): 1048576,
    },
)
"""The registry of this machine; /run is empty after a boot, as are the kernel's tables."""

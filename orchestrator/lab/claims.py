"""Which lab holds which number, and the machine's forwarding switch that they share.

Claims lie under /run. Whoever reads and then changes them, or makes and removes what belongs to
a number (bridges, table, control groups), holds ``lock()``.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab.address import NUMBERS, Plan
from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _

_RUN = Path("/run/luytre-lab")
_CLAIMS = _RUN / "claims"
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_FORMER = _RUN / "ip_forward"


@contextmanager
def lock() -> Iterator[None]:
    """Keep all other labs of this machine from claiming and releasing."""
    _CLAIMS.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (_RUN / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def claimed(state_dir: Path) -> Plan | None:
    """Return the plan of the lab in ``state_dir``, None when it holds no number."""
    for claim in sorted(_CLAIMS.glob("*")):
        with contextlib.suppress(FileNotFoundError):  # released by another lab meanwhile
            if claim.read_text() == str(state_dir):
                return Plan(int(claim.name))
    return None


def claim(state_dir: Path, preferred: int | None, is_free: Callable[[Plan], bool]) -> Plan:
    """Give the lab in ``state_dir`` a number (it keeps the one it holds) and let hosts forward.

    ``preferred`` is tried first. Raises LabError when every number is taken.
    """
    plan = claimed(state_dir) or _first_free(preferred, is_free)
    (_CLAIMS / str(plan.number)).write_text(str(state_dir))
    if not _FORMER.exists():
        _FORMER.write_text(_FORWARD.read_text())
    _FORWARD.write_text("1\n")
    return plan


def release(plan: Plan) -> None:
    """Give a number back; the last lab puts the forwarding switch back as it was."""
    (_CLAIMS / str(plan.number)).unlink(missing_ok=True)
    if not any(_CLAIMS.iterdir()) and _FORMER.exists():
        _FORWARD.write_text(_FORMER.read_text())
        _FORMER.unlink()


def _first_free(preferred: int | None, is_free: Callable[[Plan], bool]) -> Plan:
    for number in (*([] if preferred is None else [preferred]), *NUMBERS):
        if not (_CLAIMS / str(number)).exists() and is_free(Plan(number)):
            return Plan(number)
    raise LabError(_("no network between 10.213.0.0 and 10.213.255.0 is free for this lab"))

"""The lab's control groups: how its processes are found again, and ended, without guessing.

Every host runs in its own group of the unified hierarchy, ``luytre-lab/NUMBER/INDEX``; the kernel
keeps the list of its processes, so that no foreign process can be hit.
"""

import time
from pathlib import Path

from orchestrator.lab.errors import LabError
from orchestrator.model.i18n import _

_TOP = "luytre-lab"
_KILL_SECONDS = 20.0


def hierarchy() -> Path:
    """Return where the unified hierarchy is mounted; raise LabError where it is not."""
    with Path("/proc/self/mounts").open() as lines:
        for line in lines:
            _device, point, kind = line.split()[:3]
            if kind == "cgroup2":
                return Path(point)
    raise LabError(
        _("this machine has no unified control group hierarchy (cgroup2) mounted"),
        hint="mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
    )


def group(number: int, index: int) -> Path:
    """Return a host's group."""
    return lab_group(number) / str(index)


def lab_group(number: int) -> Path:
    """Return the group that holds all hosts of a lab."""
    return hierarchy() / _TOP / str(number)


def create_lab(number: int) -> None:
    """Make the group that will hold a lab's hosts."""
    lab_group(number).mkdir(parents=True, exist_ok=True)


def create(path: Path) -> None:
    """Make a host's group with its two leaves, handing down every controller there is.

    ``sup`` is for what starts the host, ``box`` for the host: a group that hands controllers
    down may have no processes of its own.
    """
    for leaf in ("sup", "box"):
        (path / leaf).mkdir(parents=True, exist_ok=True)
    for level in (path.parent.parent, path.parent, path):
        for controller in (level / "cgroup.controllers").read_text().split():
            (level / "cgroup.subtree_control").write_text(f"+{controller}")


def end(path: Path) -> None:
    """Kill every process of the group and of those below it, and remove the groups.

    Nothing happens when there is no such group. Raises LabError when processes outlive it.
    """
    if not path.exists():
        return
    (path / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + _KILL_SECONDS
    while populated(path):
        if time.monotonic() > deadline:
            raise LabError(_("processes in {group} cannot be killed").format(group=path))
        time.sleep(0.01)
    for inner in sorted(path.rglob("*/"), key=lambda each: len(each.parts), reverse=True):
        inner.rmdir()
    path.rmdir()


def populated(path: Path) -> bool:
    """Whether a process lives in the group or below it."""
    try:
        return "populated 1" in (path / "cgroup.events").read_text()
    except FileNotFoundError:
        return False


def remove_lab(number: int) -> None:
    """Kill and remove all hosts of a lab, and the common group with the last lab.

    The caller holds the registry's lock, as it does in ``create_lab``.
    """
    path = lab_group(number)
    end(path)
    top = path.parent
    if top.exists() and not any(top.glob("*/")):
        top.rmdir()


def members(path: Path) -> list[int]:
    """Return the process ids in a host's box, none where there is no such group."""
    try:
        return [int(each) for each in (path / "box/cgroup.procs").read_text().split()]
    except (FileNotFoundError, OSError):
        return []


def leader(path: Path) -> int | None:
    """Return the process id of the init that runs in the group, None while there is none."""
    try:
        members = (path / "box/payload/init.scope/cgroup.procs").read_text().split()
    except (FileNotFoundError, OSError):
        return None
    return next((int(member) for member in members if _is_init(int(member))), None)


def _is_init(pid: int) -> bool:
    """Whether the process is number 1 of its innermost process namespace."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    spaces = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
    return len(spaces) > 2 and spaces[-1] == "1"  # noqa: PLR2004 - NSpid: outer inner

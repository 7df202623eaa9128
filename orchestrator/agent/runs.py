"""The runs that changed this host, below /var/lib/luytre, and the lock that admits one at a time.

State of a run::

    begun ──► armed ──► converged ──► confirmed
      │         └────────┬──┘            │ (an operator's rollback)
      ▼                  ▼               ▼
    dropped         rolling_back ──► rolled_back | broken

Every step is taken under one flock, so that ``confirmed`` and ``rolling_back`` exclude each other.
"""

import json
import os
import time

from .host import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, List, Optional, Type

BASE = "/var/lib/luytre"
RUNS = BASE + "/runs"
LOCK = BASE + "/lock"
SECRETS = "/run/luytre"
# A run that neither armed nor ended within this time was abandoned; the next one may take over.
STALE_SECONDS = 3600
LIVE = ("armed", "converged", "rolling_back")


class Run:
    """One run: its directory and its record."""

    def __init__(self, name: str) -> None:
        if not name or not name.replace("-", "").isalnum():
            raise Refused("not the name of a run: {!r}".format(name[:80]))
        self.name = name
        self.directory = "{}/{}".format(RUNS, name)

    def path(self, name: str) -> str:
        """Return the place of one of the run's files."""
        return "{}/{}".format(self.directory, name)

    def exists(self) -> bool:
        """Return whether this host knows the run."""
        return os.path.exists(self.path("run.json"))

    def record(self) -> "Dict[str, Any]":
        """Return the run's record; raises Refused where there is none."""
        try:
            return self.load("run.json")
        except FileNotFoundError:
            raise Refused("this host knows no run {}".format(self.name)) from None

    def load(self, name: str) -> "Dict[str, Any]":
        """Return one of the run's JSON files."""
        with open(self.path(name), "rb") as stream:
            return json.loads(stream.read().decode())  # type: ignore[no-any-return]

    def save(self, name: str, data: "Any") -> None:
        """Write one of the run's JSON files, atomically and for good."""
        write_private(self.path(name), json.dumps(data, sort_keys=True).encode())

    def step(self, expected: "List[str]", state: str, **more: "Any") -> "Dict[str, Any]":
        """Take the run from one of the expected states to another; raises Refused otherwise."""
        with _Flock(self.path("state.lock")):
            record = self.record()
            if record["state"] not in expected:
                raise Refused("run {} is {}".format(self.name, record["state"]))
            record.update(more, state=state)
            self.save("run.json", record)
            return record


def write_private(place: str, data: bytes) -> None:
    """Write a file only root can read: temporary file, fsync, rename, fsync of the directory."""
    from .resources import path

    path.write(place, data, {"uid": 0, "gid": 0, "mode": 0o600})


def private_directory(place: str) -> None:
    """Make a directory only root can enter; raises Refused for a planted link or another owner."""
    try:
        os.makedirs(place, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(place)
    if found.st_mode & 0o170000 != 0o040000 or found.st_uid != 0:
        raise Refused("{} is not a directory of root".format(place))
    os.chmod(place, 0o700)


def acquire(run: Run, operator: str, controller: str) -> None:
    """Take the host's lock for a run; raises Refused naming who holds it."""
    private_directory(BASE)
    private_directory(RUNS)
    holder = {"run": run.name, "operator": operator, "controller": controller, "since": time.time()}
    data = json.dumps(holder, sort_keys=True).encode()
    for _ in range(2):
        try:
            descriptor = os.open(LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            _take_over()
            continue
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return
    raise Refused("the host's lock cannot be taken")


def holder() -> "Optional[Dict[str, Any]]":
    """Return who holds the host's lock: run, operator, controller, since (Unix time)."""
    try:
        with open(LOCK, "rb") as stream:
            return json.loads(stream.read().decode())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None
    except ValueError:
        return {"run": "", "operator": "unknown", "controller": "unknown", "since": 0.0}


def release(run: Run) -> None:
    """Give the lock back if this run holds it, and forget the run's secrets."""
    held = holder()
    if held and held["run"] == run.name:
        os.unlink(LOCK)
    forget_secrets(run)


def forget_secrets(run: Run) -> None:
    """Remove what preflight left in memory for a run, and the directory after the last one."""
    import errno

    for remove, place in ((os.unlink, "{}/{}".format(SECRETS, run.name)), (os.rmdir, SECRETS)):
        try:
            remove(place)
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                raise


def forget_stale_secrets() -> None:
    """Remove secrets that a preflight left for a run that never began."""
    for name in os.listdir(SECRETS):
        place = "{}/{}".format(SECRETS, name)
        if time.time() - os.lstat(place).st_mtime > STALE_SECONDS:
            os.unlink(place)


def known() -> "List[Run]":
    """Return the runs of this host, the newest first."""
    try:
        names = sorted(os.listdir(RUNS), reverse=True)
    except FileNotFoundError:
        return []
    return [run for run in map(Run, names) if run.exists()]


def live() -> "Optional[Run]":
    """Return the run that is armed or on its way back, if there is one."""
    for run in known():
        if run.record()["state"] in LIVE:
            return run
    return None


def _take_over() -> None:
    """Remove a lock that nobody needs any more; raises Refused where somebody does."""
    held = holder()
    if held is None:
        return
    run = Run(held["run"] or "unknown")
    state = run.record()["state"] if run.exists() else "gone"
    age = time.time() - held["since"]
    if state in LIVE or (state in ("begun", "gone") and 0 <= age < STALE_SECONDS):
        told = "{operator} from {controller} (run {run})".format(**held)
        raise Refused("the host is held by {} for {:.0f} s".format(told, age))
    os.unlink(LOCK)


class _Flock:
    """An exclusive lock on a file for as long as the block runs."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._descriptor = -1

    def __enter__(self) -> None:
        import fcntl

        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._place, flags, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(
        self,
        kind: "Optional[Type[BaseException]]",
        problem: "Optional[BaseException]",
        trace: "Optional[TracebackType]",
    ) -> None:
        os.close(self._descriptor)

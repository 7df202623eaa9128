"""The runs that changed this host, below /var/lib/luytre, and the lock that admits one at a time.

State of a run::

    begun ──► armed ──► converged ──► confirmed
      │         └────────┬──┘            │ (an operator's rollback)
      ▼                  ▼               ▼
    dropped         rolling_back ──► rolled_back | broken

Every step is taken under one flock, so that ``confirmed`` and ``rolling_back`` exclude each other.
The way back itself holds another one for as long as it takes: there is one at a time, and where it
was killed, the next one takes the work on.
"""

import json
import os
import time

from .host import Refused, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, List, Optional, Type

BASE = "/var/lib/luytre"
RUNS = BASE + "/runs"
LOCK = BASE + "/lock"
_GUARD = BASE + "/lock.guard"
SECRETS = "/run/luytre"
# A run that neither armed nor ended within this time was abandoned; the next one may take over.
STALE_SECONDS = 3600
LIVE = ("armed", "converged", "rolling_back")
# The flock of a run that whoever takes it back, drops or settles it holds as long as that takes.
WAY_BACK = "revert.lock"
# Kept free for the way back, in bytes: a full disk must not stop it.
_RESERVE = 1024 * 1024
_RESERVE_FILE = "reserve"


class Run:
    """One run: its directory and its record."""

    def __init__(self, name: str) -> None:
        if not _is_name(name):
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
        """Return one of the run's JSON files; raises Unreadable for one that is damaged."""
        with open(self.path(name), "rb") as stream:
            try:
                return json.loads(stream.read().decode())  # type: ignore[no-any-return]
            except ValueError as problem:
                raise Unreadable("{}: {}".format(self.path(name), problem)) from None

    def save(self, name: str, data: "Any") -> None:
        """Write one of the run's JSON files, atomically and for good."""
        write_private(self.path(name), json.dumps(data, sort_keys=True).encode())

    def step(self, expected: "List[str]", state: str, **more: "Any") -> "Dict[str, Any]":
        """Take the run from one of the expected states to another; raises Refused otherwise."""
        with Flock(self.path("state.lock")):
            record = self.record()
            if record["state"] not in expected:
                raise Refused("run {} is {}".format(self.name, record["state"]))
            record.update(more, state=state)
            self.save("run.json", record)
            return record

    def reserve_room(self) -> None:
        """Take the room that the way back will need."""
        # Random: a file system that compresses would keep nothing free behind zeros.
        write_private(self.path(_RESERVE_FILE), os.urandom(_RESERVE))

    def free_room(self) -> None:
        """Give the reserved room back."""
        try:
            os.unlink(self.path(_RESERVE_FILE))
        except FileNotFoundError:
            return


def write_private(place: str, data: bytes) -> None:
    """Write a file only root can read: temporary file, fsync, rename, fsync of the directory."""
    from .resources import path

    path.write(place, data, {"uid": 0, "gid": 0, "mode": 0o600})


def private_directory(place: str) -> None:
    """Make a directory only root can enter; raises Refused for a planted link or another owner."""
    from .resources import path

    try:
        os.makedirs(place, 0o700)
        path.sync_directory(os.path.dirname(place))
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
    taken = {"run": run.name, "operator": operator, "controller": controller, "since": time.time()}
    data = json.dumps(dict(taken, **_now()), sort_keys=True).encode()
    with Flock(_GUARD):
        _refuse_if_held()
        write_private(LOCK, data)


def holder() -> "Optional[Dict[str, Any]]":
    """Return who holds the host's lock: run, operator, controller, since (Unix time)."""
    try:
        with open(LOCK, "rb") as stream:
            return json.loads(stream.read().decode())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None
    except ValueError:
        # Never written by this code: it is replaced as a whole.
        return {"run": "", "operator": "unknown", "controller": "unknown", "since": 0.0}


def release(run: Run) -> None:
    """Give the lock back if this run holds it, and forget the run's secrets."""
    private_directory(BASE)
    with Flock(_GUARD):
        if holds(run):
            os.unlink(LOCK)
    forget_secrets(run)


def holds(run: Run) -> bool:
    """Return whether this run holds the host's lock."""
    held = holder()
    return held is not None and held["run"] == run.name


def digest_key(run: Run) -> bytes:
    """Return the key of the plan's digests, which preflight left in memory for this run."""
    place = "{}/{}".format(SECRETS, run.name)
    try:
        with open(place, "rb") as stream:
            return bytes.fromhex(json.loads(stream.read().decode())["digest_key"])
    except FileNotFoundError:
        raise Refused("no preflight of run {} on this host".format(run.name)) from None


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
    if not os.path.isdir(SECRETS):
        return
    for name in os.listdir(SECRETS):
        place = "{}/{}".format(SECRETS, name)
        if time.time() - os.lstat(place).st_mtime > STALE_SECONDS:
            os.unlink(place)


def known() -> "List[Run]":
    """Return the runs of this host, the newest first."""
    return [run for run in _named() if run.exists()]


def unrecorded() -> "List[Run]":
    """Return the directories of runs that have no record and do not hold the host."""
    found = [run for run in _named() if not run.exists() and not holds(run)]
    return [r for r in found if os.path.isdir(r.directory) and not os.path.islink(r.directory)]


def _named() -> "List[Run]":
    try:
        names = sorted(os.listdir(RUNS), reverse=True)
    except FileNotFoundError:
        return []
    return [Run(name) for name in names if _is_name(name)]


def beginning() -> "List[Run]":
    """Return the run that holds the host and has no record yet, if there is one."""
    held = holder()
    run = Run(held["run"]) if held is not None and _is_name(held["run"]) else None
    return [run] if run is not None and not run.exists() else []


def term(seconds: float) -> "Dict[str, Any]":
    """Return, for a run's record, until when whoever started it may bring it to its end."""
    now = _now()
    return {"boot": now["boot"], "uptime": now["uptime"] + seconds, "time": time.time() + seconds}


def told(run: Run) -> "Dict[str, Any]":
    """Return a run's record beside the lock that it holds, if it does.

    A run whose begin still goes on has only the lock. Raises Refused where there is neither.
    """
    lock = dict(holder() or {}, state="begun") if holds(run) else {}
    return dict(lock, **run.record()) if run.exists() or not lock else lock


def under_way(run: Run) -> str:
    """Return why only force may take a run from whoever started it; empty where anybody may.

    Anybody may as soon as its time is over, or the host has rebooted.
    """
    found = dict({"operator": "unknown", "controller": "unknown"}, **told(run))
    state = found["state"]
    waits = state in ("begun", "armed", "converged") or (state == "confirmed" and found["closing"])
    left = _seconds_left(found) if waits else 0.0
    if left <= 0:
        return ""
    message = (
        "run {run} of {operator} from {controller} is under way since {since} ({state}, "
        "{left:.0f} s left to it); --force takes it back all the same"
    )
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found["since"]))
    return message.format(**dict(found, since=since, left=left))


def settling(record: "Dict[str, Any]") -> bool:
    """Return whether a run was confirmed, but that is not made permanent yet."""
    return record["state"] == "confirmed" and bool(record.get("settling"))


def _is_name(name: str) -> bool:
    return bool(name) and name[0] != "-" and name.replace("-", "").isalnum()


def _now() -> "Dict[str, Any]":
    """Return the moment by a clock that nobody sets: seconds since this boot, and which boot."""
    with open("/proc/sys/kernel/random/boot_id") as stream:
        return {"boot": stream.read().strip(), "uptime": time.monotonic()}


def _seconds_left(found: "Dict[str, Any]") -> float:
    """Return how much of its time a run has left; ``found`` is its record beside the lock."""
    now = _now()
    # A run that has only begun has no term of its own yet: the lock's counts.
    stale = {"boot": found.get("boot"), "uptime": found.get("uptime", 0.0) + STALE_SECONDS}
    until = found.get("term", stale)
    return float(until["uptime"] - now["uptime"]) if until["boot"] == now["boot"] else 0.0


def _refuse_if_held() -> None:
    """Raise Refused where somebody needs the lock that is there."""
    held = holder()
    if held is None:
        return
    run = Run(held["run"] if _is_name(held["run"]) else "unknown")
    record = run.record() if run.exists() else {"state": "gone"}
    now = _now()
    age = now["uptime"] - held.get("uptime", 0.0)
    # No run that has not armed survives a reboot: what it keeps in memory is gone.
    young = held.get("boot") == now["boot"] and age < STALE_SECONDS
    waiting = record["state"] in ("begun", "gone") or record.get("closing")
    needed = record["state"] in LIVE or settling(record) or (waiting and young)
    if needed or _way_back_goes_on(run):
        told = "{operator} from {controller} (run {run})".format(**held)
        raise Refused("the host is held by {} for {:.0f} s".format(told, max(age, 0.0)))


def _way_back_goes_on(run: Run) -> bool:
    import fcntl

    try:
        descriptor = os.open(run.path(WAY_BACK), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


class Flock:
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

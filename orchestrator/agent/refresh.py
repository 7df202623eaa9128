"""Before updates: wait for others at work, repair what was cut off, ask the sources anew."""

import os

from . import packages, plan, runs, updates
from .debs import APT, APT_KEEP_CONFIGURATION, KEEP_CONFIGURATION, LOCK_WAIT
from .host import Host, Refused, Unreadable
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_REPAIR_SECONDS = 900.0
# A source that does not answer shall not hold a server for minutes.
_PATIENCE = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")
# Any source that fails is a failure of the whole: otherwise apt goes on with what it had (apt 2.1).
_STRICT = ("-o", "APT::Update::Error-Mode=any")
_ASK_SECONDS = 300.0
# Words of those of its warnings after which apt goes on with what it had.
_FAILURES = ("fetch", "GPG", "NO_PUBKEY", "signed", "expired", "valid", "verified", "index")
# A connection that is lost must not leave dpkg half way once more.
_SETTINGS = ("NEEDRESTART_MODE=l", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
_APART = (
    *("/usr/bin/systemd-run", "--quiet", "--wait", "--collect"),
    *("--setenv=" + setting for setting in _SETTINGS),
)


def refresh(request: "Dict[str, Any]", host: Host) -> "Dict[str, Any]":
    """Ask the sources anew; return what they said no to.

    An interrupted dpkg is told as ``broken``, and no source is asked, unless ``repair`` allows to
    bring it to its end, under the host's lock. ``patience`` is how long (seconds) to wait for
    others that work with packages. Raises Refused where they do not come to their end.
    """
    held = plan.await_others(host, request["patience"])
    if held:
        raise Refused(held)
    problem = packages.dpkg_problem(host)
    if problem and not request["repair"]:
        return {"broken": problem, "problems": []}
    if problem:
        _repair(request, host)
    return {"broken": "", "problems": _ask(host)}


def _repair(request: "Dict[str, Any]", host: Host) -> None:
    """Bring dpkg to its end where power or a connection was lost; raises Refused where it fails."""
    run = Run(request["run"])
    runs.acquire(run, request["operator"], request["controller"])
    try:
        argv = [*_APART, "/usr/bin/dpkg", *KEEP_CONFIGURATION, "--configure", "-a"]
        # Where packages are missing it fails; those come next.
        host.run(argv, seconds=_REPAIR_SECONDS)
        _, gone = packages.simulate("-f", ["install"], host)
        if gone:
            raise Refused("repairing dpkg would remove {}".format(", ".join(sorted(gone))))
        mend = [*APT, *APT_KEEP_CONFIGURATION, "--no-install-recommends", "-f", "-y", "install"]
        host.run([*_APART, *mend], seconds=_REPAIR_SECONDS)
        host.forget()
        left = packages.dpkg_problem(host)
        if left:
            raise Refused("dpkg cannot be repaired: {}".format(left))
    finally:
        runs.release(run)


def _ask(host: Host) -> "List[str]":
    """Ask every source; return why some gave nothing that can be relied on."""
    argv = ["/usr/bin/apt-get", "-q", *LOCK_WAIT, *_PATIENCE, *_STRICT, "update"]
    try:
        asked = host.run(argv, seconds=_ASK_SECONDS)
    except Unreadable as problem:
        return [str(problem)]
    told = (asked.err + b"\n" + asked.out).decode("utf-8", "replace").splitlines()
    problems = [line[2:].strip() for line in told if _is_failure(line)]
    host.forget()
    if asked.status == 0 and not problems:
        _note()
        return []
    return [line[:300] for line in problems] or [asked.complaint]


def _is_failure(line: str) -> bool:
    """Return whether apt speaks of a source that gave nothing; of other things it only warns."""
    return line.startswith("E:") or (line.startswith("W:") and any(w in line for w in _FAILURES))


def _note() -> None:
    """Note that the sources answered where apt's own timer would."""
    os.makedirs(os.path.dirname(updates.STAMP), 0o755, exist_ok=True)
    with open(updates.STAMP, "wb"):
        os.utime(updates.STAMP)

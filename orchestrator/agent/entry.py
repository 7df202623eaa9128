"""The agent's doors: ``serve`` answers the controller, ``console`` is the saved copy's command."""

import os
import sys
import time

from . import wire
from .host import Abandoned, Host, Refused, Unreadable, end_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict, List

    from .runs import Run

    Document = Dict[str, Any]

FORMAT = 1
# For the programs that we start (dpkg), whatever the login's is; our own files carry their mode.
_UMASK = 0o022


class Call:
    """What comes with a request: the secrets, the agent itself, the host.

    ``sources`` are the agent's as packed; ``code`` is the same compiled, by path in the package,
    where this Python was sent it.
    """

    __slots__ = ("code", "host", "secrets", "sources")

    def __init__(
        self, secrets: "Document", sources: bytes, code: "Dict[str, CodeType]", host: Host
    ) -> None:
        self.secrets = secrets
        self.sources = sources
        self.code = code
        self.host = host


def serve(
    marker: bytes,
    request: "Document",
    secrets: "Document",
    sources: bytes,
    code: "Dict[str, CodeType]",
) -> None:
    """Carry one request out and write the answer.

    An answer holds ``refused`` or ``failed`` with the plain reason where there is no ``result``.
    """
    os.chdir("/")  # a login's home must not be kept busy, nor be where programs run
    os.umask(_UMASK)
    host = Host(lifeline=0)
    told: "Document" = {"format": FORMAT}
    try:
        end_in_order()
        told["result"] = _OPERATIONS[request["operation"]](
            request, Call(secrets, sources, code, host)
        )
    except Refused as problem:
        told["refused"] = str(problem)
    except (Unreadable, OSError) as problem:
        told["failed"] = str(problem)
    except Abandoned:
        os._exit(75)  # EX_TEMPFAIL of sysexits(3): nobody is left to answer to
    wire.answer(marker, told)


def console() -> None:
    """Run ``VERB RUN [--force]``: what timer, boot unit, transient units and undo call."""
    from . import converge, rollback, undo
    from .runs import Run

    if len(sys.argv) < 3:
        sys.exit("usage: agent converge|expire|boot|rollback|undo RUN [--force]")
    verb, run, force = sys.argv[1], Run(sys.argv[2]), "--force" in sys.argv[3:]
    os.umask(_UMASK)
    host = Host(booting=verb == "boot")
    if verb in undo.RESULTS:
        outcome = undo.undo(run, host, verb, force)
        if verb == "undo":
            print("{state} {reason}".format(**outcome))
            sys.exit(0 if outcome["state"] == "rolled_back" else 1)
        return
    {"converge": converge.converge, "expire": rollback.expire, "boot": rollback.expire}[verb](
        run, host
    )


def _audit(request: "Document", call: "Call") -> "Document":
    from . import audit

    call.host.digest_key = bytes.fromhex(call.secrets.get("digest_key", ""))
    return dict(_facts(call.host, brief=True), findings=audit.audit(request["manifest"], call.host))


def _plan(request: "Document", call: "Call") -> "Document":
    from . import plan

    key = bytes.fromhex(call.secrets["digest_key"])
    call.host.named = request["named"]
    told = plan.plan(request["manifest"], call.host, key, request["prune"])
    return dict(_facts(call.host), problems=_problems(request["now"], call.host), **told)


def _check(request: "Document", call: "Call") -> "Document":
    """Tell what stands against any change; changes nothing, unlike the preflight of a run."""
    return {"problems": _problems(request["now"], call.host)}


def _health(request: "Document", call: "Call") -> "Document":
    from . import health

    return {"problems": health.failing(request["checks"], call.host)}


def _preflight(request: "Document", call: "Call") -> "Document":
    """Tell what stands against the change, and leave the run's secrets in memory for it."""
    from . import runs

    run = runs.Run(request["run"])
    waited = _await_others(call.host)
    problems = _problems(request["now"] + waited, call.host)
    if not problems:
        runs.private_directory(runs.SECRETS)
        runs.forget_stale_secrets()
        data = wire.dumps(call.secrets).encode()
        runs.write_private("{}/{}".format(runs.SECRETS, run.name), data)
    return dict(_facts(call.host), problems=problems)


def _forget(request: "Document", call: "Call") -> "Document":
    """Forget what a preflight left in memory for a run that never began."""
    from . import runs

    run = runs.Run(request["run"])
    if not run.exists() and not runs.holds(run):
        runs.forget_secrets(run)
    return {}


def _await_others(host: Host) -> float:
    """Wait for others that work with packages, no run of ours; return for how many seconds."""
    from . import change, plan

    began = time.monotonic()
    if plan.lock_holder() and not change.busy_with_packages():
        plan.await_others(host)
    return time.monotonic() - began


def _problems(now: float, host: Host) -> "List[str]":
    """Return what stands against a change; what comes of a run of ours has that run as its name."""
    from . import change, plan

    problems = plan.preflight(host, now)
    busy = change.busy_with_packages() if problems else ""
    return [busy] if busy else problems


def _begin(request: "Document", call: "Call") -> "Document":
    from . import change

    return change.begin(request, call.sources, call.code, call.host)


def _converge(request: "Document", call: "Call") -> "Document":
    from . import converge

    return converge.start(request, call.host)


def _confirm(request: "Document", call: "Call") -> "Document":
    from . import change

    return change.confirm(request, call.host)


def _await(request: "Document", call: "Call") -> "Document":
    from . import change

    return change.await_confirm(request, call.host)


def _finish(request: "Document", call: "Call") -> "Document":
    from . import change

    return change.finish(request, call.host)


def _status(request: "Document", call: "Call") -> "Document":
    return _facts(call.host)


def _rollback(request: "Document", call: "Call") -> "Document":
    """Let the agent saved with a run take it back, in a unit of its own.

    ``abandoned`` says that the controller which started the run works on it no more.
    """
    from . import arm, change, runs, undo

    run = runs.Run(request["run"])
    held = "" if request.get("force") or request.get("abandoned") else runs.under_way(run)
    if held:
        raise Refused(held)
    change.await_begin(run, call.host)
    if run.record().get("discarded"):
        raise Refused("the journal of run {} was discarded: nothing leads back".format(run.name))
    result = undo.RESULTS["rollback"]
    try:
        os.unlink(run.path(result))
    except FileNotFoundError:
        pass
    unit = arm.detach(run, "rollback", call.host, ("--force",) if request.get("force") else ())
    return arm.wait_for(run, result, unit, call.host)


def _refresh(request: "Document", call: "Call") -> "Document":
    from . import refresh

    return refresh.refresh(request, call.host)


def _patches(request: "Document", call: "Call") -> "Document":
    from . import patches

    return dict(_facts(call.host, brief=True), patches=patches.tell(request, call.host))


def _reboot(request: "Document", call: "Call") -> "Document":
    from . import reboot

    return reboot.reboot(request, call.host)


def _survey(request: "Document", call: "Call") -> "Document":
    """Tell what a rollback of a run, or of every run that stands, would put back now.

    ``under_way`` holds why a run should be left alone, or an empty text; ``over`` tells of one that
    nothing of it is left to take back, nor to give free. A run that this host does not know is left
    out.
    """
    from . import runs, survey

    found = runs.beginning() + [run for run in runs.known() if survey.stands(run.record())]
    if request.get("run"):
        asked = runs.Run(request["run"])
        found = [asked] if asked.exists() else [run for run in found if run.name == asked.name]
    return {"runs": [_surveyed(run, call.host) for run in found]}


def _surveyed(run: "Run", host: Host) -> "Document":
    from . import runs, survey

    record = runs.told(run)
    told = {key: record.get(key) for key in ("run", "state", "since", "operator", "controller")}
    parts = survey.survey(run, host) if run.exists() else {}
    over = survey.taken_back(record) and not runs.holds(run)
    return dict(parts, under_way=runs.under_way(run), over=over, **told)


def _facts(host: Host, brief: bool = False) -> "Document":
    """Return who the host is and how the runs on it stand.

    Brief: the runs are told only while one holds the host.
    """
    from . import facts

    system = os.uname()
    silent = not os.path.exists("/var/lib/luytre/lock" if brief else "/var/lib/luytre")
    return {
        "host": {
            "hostname": system.nodename,
            "kernel": system.release,
            "os": facts.system(host),
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "boot": (host.read("/proc/sys/kernel/random/boot_id") or b"").decode().strip(),
            "machine": (host.read("/etc/machine-id") or b"").decode("ascii", "replace").strip(),
            "time": time.time(),
        },
        "runs": {"lock": None, "known": []} if silent else _runs(),
    }


def _runs() -> "Document":
    from . import runs

    known = [run.record() for run in runs.known()]
    keys = ("run", "state", "since", "operator", "controller", "term", "witness")
    # Not brought to its end: packages, directories, what did not become permanent.
    unended = ("left", "kept", "problems", "settling")
    told = [{key: record.get(key) for key in (*keys, *unended)} for record in known]
    return {"lock": runs.holder(), "known": told}


_OPERATIONS = {
    "audit": _audit,
    "plan": _plan,
    "check": _check,
    "health": _health,
    "preflight": _preflight,
    "forget": _forget,
    "begin": _begin,
    "converge": _converge,
    "confirm": _confirm,
    "await": _await,
    "finish": _finish,
    "status": _status,
    "survey": _survey,
    "refresh": _refresh,
    "patches": _patches,
    "reboot": _reboot,
    "rollback": _rollback,
}

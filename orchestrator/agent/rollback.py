"""The way back of a run: restore its resources in reverse, activate, check, disarm, unlock."""

from . import arm, facts, journal, packages, resources, runs, systemd
from .host import Host, Refused, Unreadable
from .resources import unit as units
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List

RESULT = "rollback.json"
SECONDS = 600
# What an operator may take back; the timer and the boot unit only touch what is not confirmed.
_UNCONFIRMED = ["armed", "converged"]
_ANY = ["begun", "armed", "converged", "confirmed", "rolling_back", "broken"]
# What a boot that takes a run back compares: the rest comes up after it.
_FILES = ("path:", "dress:")
_VERBS = {"reload": "try-reload-or-restart", "restart": "try-restart"}


def expire(run: Run, host: Host) -> None:
    """Take back a run that nobody confirmed in time."""
    if run.record()["state"] == "begun":
        arm.disarm(run, host)
        return
    run.save(RESULT, revert(run, _UNCONFIRMED, host))


def boot(run: Run, host: Host) -> None:
    """Take back a run that a reboot met while armed, or already on its way back."""
    if run.record()["state"] in (*_UNCONFIRMED, "rolling_back"):
        run.save(RESULT, revert(run, [*_UNCONFIRMED, "rolling_back"], host))
    else:
        arm.disarm(run, host)


def undo(run: Run, host: Host, force: bool) -> None:
    """Take a run back because the operator says so; the outcome is left in the result file."""
    try:
        state = run.record()["state"]
        if state == "confirmed" and not force:
            _refuse_if_moved(run, host)
        outcome = revert(run, _ANY, host, put_packages_back=True)
    except (Refused, Unreadable, OSError) as problem:
        outcome = {"state": "refused", "reason": str(problem)}
    run.save(RESULT, outcome)


def revert(
    run: Run, expected: "List[str]", host: Host, put_packages_back: bool = False
) -> "Dict[str, Any]":
    """Restore every journaled resource; return the state reached and what went wrong.

    Raises Refused where the run is in none of the expected states: somebody else was first.
    """
    record = run.step(expected, "rolling_back")
    problems: "List[str]" = []
    _attempt(problems, "converge", lambda: _halt_converge(run, host))
    entries = journal.entries(run, journal.JOURNAL)
    if put_packages_back and entries:
        before = len(problems)
        _attempt(problems, "packages", lambda: _packages(run, host))
        # With the packages gone, only the state before them makes sense.
        if len(problems) == before:
            entries = journal.entries(run, journal.BEFORE)
    _restore(run, reversed(entries), host, problems)
    host.forget()
    if not host.booting:
        _attempt(problems, "activation", lambda: activate(record["activates"], host))
    # Setting one kernel parameter may reset others: those are set once more.
    _restore(run, (e for e in entries if e["resource"].startswith("sysctl:")), host, problems)
    host.forget()
    problems.extend(_differences(run, entries, host))
    state = "broken" if problems else "rolled_back"
    run.step(["rolling_back"], state)
    _attempt(problems, "disarm", lambda: arm.disarm(run, host))
    runs.release(run)
    return {"state": state, "reason": "; ".join(problems)}


def activate(verbs: "Iterable[str]", host: Host) -> None:
    """Reload what must be reloaded, each once: the manager first, SSH last."""
    wanted = list(verbs)
    if "daemon-reload" in wanted:
        units.reload_manager(host)
    for verb in sorted((v for v in wanted if " " in v), key=lambda v: v.endswith(" ssh.service")):
        action, unit = verb.split(" ", 1)
        if systemd.unit_states(host, [unit])[unit].load != "not-found":
            units.control(host, _VERBS[action], unit)


def _refuse_if_moved(run: Run, host: Host) -> None:
    """Refuse where a resource is not as the run left it; tell before, after and now."""
    moved = []
    after = run.load(journal.AFTER)
    for entry in journal.entries(run, journal.JOURNAL):
        state, content = resources.capture(entry["resource"], host)
        if resources.digest(state, content, b"") != after.get(entry["resource"]):
            told = (entry["resource"], _brief(entry["state"]), _brief(state))
            moved.append("{} (before the run: {}; now: {})".format(*told))
    if moved:
        raise Refused(
            "changed since the run: {}; --force takes it back all the same".format(", ".join(moved))
        )


def _brief(state: "Dict[str, Any]") -> str:
    if "type" in state:
        return "{type} {object}".format(
            type=state["type"], object=state.get("object", "")[:12]
        ).strip()
    return ", ".join("{}={}".format(key, str(value)[:40]) for key, value in sorted(state.items()))


def _restore(
    run: Run, entries: "Iterable[Dict[str, Any]]", host: Host, problems: "List[str]"
) -> None:
    for entry in entries:
        resource, state = entry["resource"], entry["state"]
        try:
            resources.restore(resource, state, journal.content(run, state), host)
        except (Unreadable, OSError) as problem:
            problems.append("{}: {}".format(resource, problem))
        host.forget()


def _differences(run: Run, entries: "List[Dict[str, Any]]", host: Host) -> "List[str]":
    """Return the resources that are not as the journal has them."""
    found = []
    for entry in entries:
        resource, wanted = entry["resource"], dict(entry["state"])
        if resource.startswith("package:") or (host.booting and not resource.startswith(_FILES)):
            continue
        state, content = resources.capture(resource, host)
        for told in (state, wanted):
            told.pop("load", None)
        kept = journal.content(run, entry["state"])
        if resources.digest(state, content, b"") != resources.digest(wanted, kept, b""):
            found.append("{} is not as it was".format(resource))
    return found


def _packages(run: Run, host: Host) -> None:
    kept = run.load("packages.json")
    before, after = kept["before"], kept.get("after", kept["before"])
    host.forget()
    packages.put_back(before, after, run.path("debs"), host)
    still = set(facts.packages(host)) ^ set(before)
    added = sorted(name for name in still if name in after)
    if added:
        raise Unreadable("packages not as they were: {}".format(", ".join(added)))


def _halt_converge(run: Run, host: Host) -> None:
    import os

    # The converge that fails goes back itself: stopping its own unit would stop this rollback.
    if "luytre-converge-" not in _own_unit(os.getpid()):
        arm.halt(run, "converge", host)


def _own_unit(process: int) -> str:
    with open("/proc/{}/cgroup".format(process)) as stream:
        return stream.read()


def _attempt(problems: "List[str]", what: str, step: "Any") -> None:
    try:
        step()
    except (Unreadable, OSError) as problem:
        problems.append("{}: {}".format(what, problem))

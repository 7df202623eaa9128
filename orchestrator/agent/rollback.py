"""The way back of a run: restore its resources in reverse, activate, check, disarm, unlock."""

from . import (
    arm,
    comparison,
    facts,
    journal,
    owned,
    packages,
    resources,
    runs,
    settle,
    systemd,
)
from .host import Host, NotEmpty, Refused, Unreadable
from .resources import unit as units
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional

RESULT = "rollback.json"
# What an operator may take back; the timer and the boot unit only touch what is not confirmed.
_UNCONFIRMED = ["armed", "converged"]
_ANY = ["begun", "armed", "converged", "confirmed", "broken"]
# Of these, only packages may be left: the timer runs no dpkg, an operator's rollback does.
_ENDED = ("dropped", "rolled_back")
# What an operator's rollback puts back: resources, packages that go, packages that return.
_PARTS = ("resources", "away", "back")
_VERBS = {"reload": "try-reload-or-restart", "restart": "try-restart"}


def expire(run: Run, host: Host) -> None:
    """Take back a run that nobody confirmed in time, or that a reboot met while armed.

    A confirm that was interrupted is brought to its end.
    """
    try:
        state = run.record()["state"]
        if state == "begun":
            run.save(RESULT, {"state": "dropped", "reason": drop(run, host)})
        elif state in (*_UNCONFIRMED, "rolling_back"):
            revert(run, _UNCONFIRMED, host)
        elif state == "confirmed":
            settle.settle(run, host)
        else:
            arm.disarm(run, host)
    except Refused:
        return  # somebody else was first


def drop(run: Run, host: Host, put_packages_back: bool = False) -> str:
    """Close a run that has changed nothing but packages; return what went wrong.

    Raises Refused where it has gone further.
    """
    problems: "List[str]" = []
    if run.exists():
        run.step(["begun"], "dropped")
        if put_packages_back:
            _attempt(problems, "packages", lambda: _packages(run, host))
        run.step(["dropped"], "dropped", left=_left(run, host))
        _attempt(problems, "disarm", lambda: arm.disarm(run, host))
        run.free_room()
    runs.release(run)
    return "; ".join(problems)


def undo(run: Run, host: Host, force: bool) -> None:
    """Take a run back because the operator says so; the outcome is left in the result file."""
    try:
        _undo(run, host, force)
    except (Refused, Unreadable, OSError) as problem:
        run.save(RESULT, {"state": "refused", "reason": str(problem)})


def _undo(run: Run, host: Host, force: bool) -> None:
    if runs.settling(run.record()) and not force:
        settle.settle(run, host)
    record = run.record()
    held = runs.holds(run)
    if not held:
        # Nobody else may change the host meanwhile, and no other run's armed way back be disturbed.
        runs.acquire(run, record.get("operator", ""), "its rollback")
    try:
        if record["state"] in _ENDED and not record.get("left"):
            run.save(RESULT, {"state": "rolled_back", "reason": "it was taken back before"})
            _release_unless(held, run)
            return
        if record["state"] == "dropped":
            _undo_packages(run, host)
            return
        if record["state"] in ("confirmed", "rolled_back") and not force:
            _refuse_if_moved(run, host, _as_left(run, record["state"]))
        revert(run, [*_ANY, "rolled_back"], host, put_packages_back=True)
    except (Refused, Unreadable, OSError):
        _release_unless(held or run.record()["state"] in runs.LIVE, run)
        raise


def _undo_packages(run: Run, host: Host) -> None:
    """Take back the packages of a run that changed nothing else."""
    problems: "List[str]" = []
    with runs.Flock(run.path("revert.lock")):
        coming = _surveyed(run, host)
        _attempt(problems, "packages", lambda: _packages(run, host))
        run.step(["dropped"], "dropped", left=_left(run, host))
        runs.release(run)
        state = "broken" if problems else "rolled_back"
        told = {"state": state, "reason": "; ".join(problems)}
        run.save(RESULT, dict(told, **_done(coming, run, host)))


def _release_unless(needed: bool, run: Run) -> None:
    if not needed:
        runs.release(run)


def stands(record: "Dict[str, Any]") -> bool:
    """Return whether anything of a run is still there to be taken back."""
    if record.get("discarded"):
        return False
    return record["state"] not in _ENDED or bool(record.get("left"))


def survey(run: Run, host: Host) -> "Dict[str, List[str]]":
    """Return what an operator's rollback of a run would put back now. Changes nothing.

    ``resources`` are those that are not as they were before the run; ``away`` are packages that
    would go, ``back`` packages with the version that would return.
    """
    record = run.record()
    found: "Dict[str, List[str]]" = {part: [] for part in _PARTS}
    if not stands(record):
        return found
    if record["state"] not in _ENDED:
        entries = journal.entries(run, journal.JOURNAL)
        if entries:
            first = journal.entries(run, journal.BEFORE)
            entries = first + _unknown_before(first, entries, host)
        found["resources"] = [e["resource"] for e in entries if comparison.differs(run, e, host)]
    kept = run.load("packages.json")
    before, now = kept["before"], facts.packages(host)
    after = kept.get("after") or dict(before, **kept["coming"])
    found["away"] = sorted(name for name in after if name not in before and name in now)
    for name in sorted(before):
        gone = name not in now and name not in after
        if gone or now.get(name) == after.get(name) != before[name]:
            found["back"].append("{} {}".format(name, before[name]))
    return found


def _surveyed(run: Run, host: Host) -> "Optional[Dict[str, List[str]]]":
    """Return the survey, or None where it cannot be made: the way back does not depend on it."""
    host.forget()
    try:
        return survey(run, host)
    except (Unreadable, OSError):
        return None


def _done(coming: "Optional[Dict[str, List[str]]]", run: Run, host: Host) -> "Dict[str, Any]":
    """Return, for the result of a rollback, what of that which had to go back has gone back."""
    left = _surveyed(run, host)
    if coming is None or left is None:
        return {}
    return {"done": {part: [x for x in coming[part] if x not in left[part]] for part in _PARTS}}


def revert(
    run: Run, expected: "List[str]", host: Host, put_packages_back: bool = False
) -> "Dict[str, Any]":
    """Restore every journaled resource; return the state reached and what went wrong.

    The same is left in the run's result file. A way back that was killed is taken on. Raises
    Refused where the run is in none of the expected states: somebody else was first.
    """
    with runs.Flock(run.path("revert.lock")):
        run.free_room()
        record = run.step([*expected, "rolling_back"], "rolling_back")
        problems: "List[str]" = []
        _attempt(problems, "converge", lambda: _halt_converge(run, host))
        coming = _surveyed(run, host) if put_packages_back else None
        entries = _entries(run, journal.JOURNAL, problems)
        if put_packages_back:
            before = len(problems)
            _attempt(problems, "packages", lambda: _packages(run, host))
            # With the packages gone, only the state before them makes sense.
            if len(problems) == before and entries:
                first = _entries(run, journal.BEFORE, problems)
                entries = first + _unknown_before(first, entries, host)
        kept = _put_back(run, record, entries, host, problems)
        _attempt(problems, "owned", lambda: owned.give_back(run))
        state = "broken" if problems else "rolled_back"
        left = [] if put_packages_back else _left(run, host)
        run.step(["rolling_back"], state, left=left, kept=kept)
        _attempt(problems, "disarm", lambda: arm.disarm(run, host))
        runs.release(run)
        told = ["left, because somebody filled it: {}".format(each) for each in kept]
        outcome = {"state": state, "reason": "; ".join(problems + told)}
        run.save(RESULT, dict(outcome, **_done(coming, run, host)))
    return outcome


def _entries(run: Run, name: str, problems: "List[str]") -> "List[Dict[str, Any]]":
    try:
        return journal.entries(run, name)
    except (Unreadable, OSError) as problem:
        problems.append("journal: {}".format(problem))
        return []


def _unknown_before(
    first: "List[Dict[str, Any]]", entries: "List[Dict[str, Any]]", host: Host
) -> "List[Dict[str, Any]]":
    """Return the later entries of which the first knew nothing, and that have not gone since."""
    known = {entry["resource"] for entry in first}
    found = []
    for entry in entries:
        type_, key = resources.split(entry["resource"])
        if entry["resource"] in known or (type_ == "dress" and "path:" + key in known):
            continue
        if type_ != "unit" or systemd.unit_states(host, [key])[key].load != "not-found":
            found.append(entry)
    return found


def _put_back(
    run: Run,
    record: "Dict[str, Any]",
    entries: "List[Dict[str, Any]]",
    host: Host,
    problems: "List[str]",
) -> "List[str]":
    """Restore and activate; return the directories that stay because somebody filled them."""
    kept = _restore(run, reversed(entries), host, problems)
    entries = [entry for entry in entries if entry["resource"] not in kept]
    for verb in in_order(record["activates"]):
        # Each for itself: what one service says must not keep SSH from reading its files again.
        _attempt(problems, verb, lambda verb=verb: activate([verb], host))
    # Setting one kernel parameter may reset others: those are set once more.
    _restore(run, (e for e in entries if e["resource"].startswith("sysctl:")), host, problems)
    if not host.booting:
        for unit in record.get("running", ()):
            _attempt(problems, unit, lambda unit=unit: _start_again(unit, host))
    host.forget()
    problems.extend(comparison.differences(run, entries, host))
    return kept


def in_order(verbs: "Iterable[str]") -> "List[str]":
    """Return the verbs in the order of work: the manager's reload first, SSH last."""
    return sorted(verbs, key=lambda verb: (" " in verb, verb.endswith(" ssh.service")))


def activate(verbs: "Iterable[str]", host: Host) -> None:
    """Reload what must be reloaded, each once, where it runs."""
    for verb in in_order(verbs):
        action, _, unit = verb.partition(" ")
        if not unit:
            units.reload_manager(host)
            continue
        state = systemd.unit_states(host, [unit])[unit]
        if state.active in units.RUNNING and state.load not in ("not-found", "masked"):
            units.control(host, _VERBS[action], unit)


def running(verbs: "Iterable[str]", host: Host) -> "List[str]":
    """Return the units among those to reload that run now: they shall run after a way back."""
    found = [verb.split(" ", 1)[1] for verb in verbs if " " in verb]
    states = systemd.unit_states(host, found) if found else {}
    return [unit for unit in found if states[unit].active in units.RUNNING]


def _start_again(unit: str, host: Host) -> None:
    """Start a unit that the change had brought down: a reload does not."""
    state = systemd.unit_states(host, [unit])[unit]
    if state.active not in units.RUNNING and state.load not in ("not-found", "masked"):
        units.control(host, "start", unit)


def _as_left(run: Run, state: str) -> "Dict[str, str]":
    """Return the digests of the resources as the run left them, confirmed or taken back."""
    if state == "rolled_back":
        return {
            entry["resource"]: resources.digest(
                entry["state"], journal.content(run, entry["state"]), b""
            )
            for entry in journal.entries(run, journal.JOURNAL)
        }
    try:
        return run.load(journal.AFTER)
    except FileNotFoundError:
        raise Refused(
            "nobody wrote down how the run left the host (its confirm was interrupted); "
            "--force takes it back all the same"
        ) from None


def _refuse_if_moved(run: Run, host: Host, after: "Dict[str, str]") -> None:
    """Refuse where a resource is not as the run left it; tell before, after and now."""
    moved, kept = [], run.record().get("kept", ())
    for entry in journal.entries(run, journal.JOURNAL):
        if entry["resource"] in kept:
            continue
        state, content = resources.capture(entry["resource"], host)
        gone = resources.replaced(entry["resource"], entry["state"], state)
        if not gone and resources.digest(state, content, b"") != after.get(entry["resource"]):
            told = (entry["resource"], journal.brief(entry["state"]), journal.brief(state))
            moved.append("{} (before the run: {}; now: {})".format(*told))
    if moved:
        raise Refused(
            "changed since the run: {}; --force takes it back all the same".format(", ".join(moved))
        )


def _restore(
    run: Run, entries: "Iterable[Dict[str, Any]]", host: Host, problems: "List[str]"
) -> "List[str]":
    """Put resources back; return the directories that stay because they are not empty."""
    kept = []
    for entry in entries:
        resource, state = entry["resource"], entry["state"]
        try:
            resources.restore(resource, state, journal.content(run, state), host)
        except NotEmpty:
            kept.append(resource)
        except (Unreadable, OSError) as problem:
            problems.append("{}: {}".format(resource, problem))
        host.forget()
    return kept


def _packages(run: Run, host: Host) -> None:
    """Take back what the packages step did; where converge never was, what apt meant to do."""
    kept = run.load("packages.json")
    before = kept["before"]
    after = kept.get("after")
    if after is None:
        packages.await_step(run.name, host)
        after = dict(before, **kept["coming"])
    host.forget()
    packages.take_away(before, after, kept["residue"], host)
    packages.bring_back(before, after, run.path("debs"), host)
    packages.mark_automatic(kept["automatic"], host)
    now = facts.packages(host)
    changed = [name for name in after if before.get(name) != after[name] == now.get(name)]
    missing = [name for name in before if name not in after and name not in now]
    if changed or missing:
        told = ", ".join(sorted(changed + missing))
        raise Unreadable("packages not as they were: {}".format(told))


def _left(run: Run, host: Host) -> "List[str]":
    """Return the packages that the run installed and that stay after its own way back."""
    try:
        kept = run.load("packages.json")
        now = facts.packages(host)
    except (Unreadable, OSError):
        return []  # the way back of the resources does not depend on it
    after = kept.get("after") or dict(kept["before"], **kept["coming"])
    return sorted(n for n in after if kept["before"].get(n) != after[n] == now.get(n))


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

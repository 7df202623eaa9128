"""The way back of a run: restore its resources in reverse, activate, check, disarm, unlock."""

import os

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
    survey,
    systemd,
)
from .host import Host, NotEmpty, Refused, Unreadable
from .resources import unit as units
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List

# How the way back ended that nobody asked for: the timer's, the boot's, that of a converge.
RESULT = "expired.json"
# What timer and boot unit may take back: not what is confirmed.
_UNCONFIRMED = ["armed", "converged"]
_VERBS = {"reload": "try-reload-or-restart", "restart": "try-restart"}
# What systemd keeps in memory as it last read it (systemd.unit(5), systemd-fstab-generator(8)).
_READ_BY_MANAGER = (
    "path:/etc/fstab",
    "path:/etc/systemd/system/",
    "path:/etc/systemd/system.control/",
    "path:/run/systemd/system/",
    "path:/usr/local/lib/systemd/system/",
    "path:/usr/lib/systemd/system/",
    "path:/lib/systemd/system/",
)


def expire(run: Run, host: Host) -> None:
    """Take back a run that nobody confirmed in time, or that a reboot met while armed.

    A confirm that was interrupted is brought to its end, and so is a way back that was killed.
    """
    with runs.Flock(run.path(runs.WAY_BACK)):
        record = run.record()
        state = record["state"]
        try:
            if state == "begun":
                run.save(RESULT, {"state": "dropped", "reason": _drop(run, host, False)})
            elif state in (*_UNCONFIRMED, "rolling_back"):
                run.save(RESULT, take_back(run, _UNCONFIRMED, host))
            elif state != "confirmed":
                problems = close(run, host)
                if not os.path.exists(run.path(RESULT)):
                    told = [record["reason"]] if record.get("reason") else []
                    run.save(RESULT, {"state": state, "reason": "; ".join(told + problems)})
        except Refused:
            return  # it was armed or confirmed at this moment
    if state == "confirmed":
        settle.settle(run, host)


def close(run: Run, host: Host) -> "List[str]":
    """Disarm a run that has ended, and give the host free; return what went wrong.

    Whoever ended it may have been killed before this.
    """
    problems: "List[str]" = []
    _attempt(problems, "disarm", lambda: arm.disarm(run, host))
    run.free_room()
    runs.release(run)
    return problems


def drop(run: Run, host: Host) -> str:
    """Close a run that has changed nothing but packages, and put those back; return what failed.

    Raises Refused where it has gone further.
    """
    with runs.Flock(run.path(runs.WAY_BACK)):
        return _drop(run, host, True)


def _drop(run: Run, host: Host, put_packages_back: bool) -> str:
    # Whoever dies while apt works leaves word of the packages: an operator's rollback takes them.
    run.step(["begun"], "dropped", left=_left(run, host))
    problems = drop_packages(run, host) if put_packages_back else []
    return "; ".join(problems + close(run, host))


def drop_packages(run: Run, host: Host) -> "List[str]":
    """Put the packages of a dropped run back, within its way back; return what went wrong."""
    problems: "List[str]" = []
    _attempt(problems, "packages", lambda: _packages(run, host))
    host.forget()
    run.step(["dropped"], "dropped", left=_left(run, host))
    return problems


def revert(run: Run, expected: "List[str]", host: Host) -> "Dict[str, Any]":
    """Take a run back, but for its packages, and leave the outcome in the result file."""
    with runs.Flock(run.path(runs.WAY_BACK)):
        outcome = take_back(run, expected, host)
        run.save(RESULT, outcome)
    return outcome


def take_back(
    run: Run, expected: "List[str]", host: Host, put_packages_back: bool = False
) -> "Dict[str, Any]":
    """Restore every journaled resource; return the state reached and what went wrong.

    The caller holds the flock of the way back. One that was killed is taken on. Raises Refused
    where the run is in none of the expected states: somebody else was first.
    """
    run.free_room()
    record = run.step([*expected, "rolling_back"], "rolling_back")
    problems: "List[str]" = []
    _attempt(problems, "converge", lambda: _halt_converge(run, host))
    coming = survey.attempt(run, host) if put_packages_back else None
    if put_packages_back:
        record = _without_packages(run, record, host, problems)
    entries = _entries(run, journal.JOURNAL, problems)
    if record.get("unpacked") and entries:
        entries = survey.before_packages(_entries(run, journal.BEFORE, problems), entries, host)
    kept = _put_back(run, record, entries, host, problems)
    _attempt(problems, "owned", lambda: owned.give_back(run))
    state = "broken" if problems else "rolled_back"
    told = ["left, because somebody filled it: {}".format(each) for each in kept]
    told += _staying(run, host) if put_packages_back else []
    reason = "; ".join(problems + told)
    left = [] if put_packages_back else _left(run, host)
    run.step(["rolling_back"], state, left=left, kept=kept, reason=reason)
    outcome = {"state": state, "reason": "; ".join(problems + close(run, host) + told)}
    return dict(outcome, **survey.done(coming, run, host))


def _without_packages(
    run: Run, record: "Dict[str, Any]", host: Host, problems: "List[str]"
) -> "Dict[str, Any]":
    """Put the packages back and return the record, which tells whether that is done.

    A way back that is killed later is taken on by a boot, which asks dpkg nothing.
    """
    before = len(problems)
    _attempt(problems, "packages", lambda: _packages(run, host))
    return run.step(["rolling_back"], "rolling_back", unpacked=len(problems) == before)


def _entries(run: Run, name: str, problems: "List[str]") -> "List[Dict[str, Any]]":
    try:
        return journal.entries(run, name)
    except (Unreadable, OSError) as problem:
        problems.append("journal: {}".format(problem))
        return []


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


def read_by_manager(touched: "Iterable[str]") -> "List[str]":
    """Return the manager's reload where one of the resources is a file that it has read."""
    return ["daemon-reload"] if any(r.startswith(_READ_BY_MANAGER) for r in touched) else []


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
    before, after = kept["before"], packages.after_step(run.name, kept, host)
    packages.bring_back(before, after, run.path("debs"), host)
    packages.take_away(before, after, kept["residue"], host)
    packages.mark_automatic(kept["automatic"], host)
    now = facts.packages(host)
    stay = packages.staying(before, after, host)
    changed = [name for name in after if before.get(name) != after[name] == now.get(name)]
    changed = [name for name in changed if name not in stay]
    missing = [name for name in before if name not in after and name not in now]
    half = [name for name in _unfinished(before, after, host) if name not in changed + missing]
    if changed or missing or half:
        told = ", ".join(sorted(changed + missing + half))
        raise Unreadable("packages not as they were: {}".format(told))


def _staying(run: Run, host: Host) -> "List[str]":
    """Return which packages of the run stay newer, as a sentence; nothing where none does."""
    kept = run.load("packages.json")
    names = packages.staying(kept["before"], packages.meant(kept), host)
    told = "not taken back, because programs rest on it: {}".format(", ".join(names))
    return [told] if names else []


def _left(run: Run, host: Host) -> "List[str]":
    """Return the packages that the run installed and that stay after its own way back."""
    try:
        kept = run.load("packages.json")
        now = facts.packages(host)
    except (Unreadable, OSError):
        return []  # the way back of the resources does not depend on it
    before, after = kept["before"], packages.meant(kept)
    there = {name for name in after if before.get(name) != after[name] == now.get(name)}
    return sorted(there.union(_unfinished(before, after, host)))


def _unfinished(before: "Dict[str, str]", after: "Dict[str, str]", host: Host) -> "List[str]":
    """Return the packages that the run changed and that dpkg, killed at work, left half way."""
    return [name for name in facts.unfinished(host) if before.get(name) != after.get(name)]


def _halt_converge(run: Run, host: Host) -> None:
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

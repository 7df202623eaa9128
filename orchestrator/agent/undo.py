"""An operator's rollback of a run: with its packages, and only while nobody else has the host."""

from . import arm, journal, packages, resources, rollback, runs, settle, survey, unattended
from .host import Host, Refused, Unreadable
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    Document = Dict[str, Any]

# By the verb. Timer, boot unit and converge write elsewhere: whoever waits for this one is told of
# this one.
RESULTS = {"rollback": "rollback.json", "undo": "undo.json"}
_ANY = ["begun", "armed", "converged", "confirmed", "broken", "rolled_back"]


def undo(run: Run, host: Host, verb: str, force: bool) -> "Document":
    """Take a run back because the operator says so; return the outcome and leave it in a file."""
    try:
        if runs.settling(run.record()) and not force:
            settle.settle(run, host)
        # Another way back may go on: what this one finds is looked at when that has ended.
        with runs.Flock(run.path(runs.WAY_BACK)):
            outcome = _warned(_undo(run, host, force), host)
    except (Refused, Unreadable, OSError) as problem:
        outcome = {"state": "refused", "reason": str(problem)}
    run.save(RESULTS[verb], outcome)
    return outcome


def _warned(outcome: "Document", host: Host) -> "Document":
    """Return how a rollback ended, with what may undo it."""
    back = [name.split(" ")[0] for name in outcome.get("done", {}).get("back", ())]
    told = [outcome["reason"], *unattended.warning(back, host)]
    return dict(outcome, reason="; ".join(filter(None, told)))


def _undo(run: Run, host: Host, force: bool) -> "Document":
    record = run.record()
    held = runs.holds(run)
    if not held:
        # Nobody else may change the host meanwhile, and no other run's armed way back be disturbed.
        runs.acquire(run, record.get("operator", ""), "its rollback")
    try:
        if survey.taken_back(record):
            coming = survey.attempt(run, host)
            told = ["it was taken back before", *rollback.close(run, host)]
            outcome = {"state": "rolled_back", "reason": "; ".join(told)}
            return dict(outcome, **survey.done(coming, run, host))
        _refuse_if_packages_stay(run, host, force)
        if record["state"] == "dropped":
            return _undo_packages(run, host)
        if record["state"] in ("confirmed", "rolled_back") and not force:
            _refuse_if_moved(run, host, _as_left(run, record["state"]))
        # A confirmed run is armed no more: where the power goes half way, the boot must know of it.
        arm.await_boot(run, record.get("operator", ""), host)
        return rollback.take_back(run, _ANY, host, put_packages_back=True)
    except (Refused, Unreadable, OSError):
        if not held and run.record()["state"] not in runs.LIVE:
            runs.release(run)
        raise


def _refuse_if_packages_stay(run: Run, host: Host, force: bool) -> None:
    """Refuse, before anything goes back, where the packages of the run cannot."""
    kept = run.load("packages.json")
    after = packages.after_step(run.name, kept, host)
    packages.refuse_to_go_back(kept["before"], after, run.path("debs"), host, force)


def _undo_packages(run: Run, host: Host) -> "Document":
    """Take back the packages of a run that changed nothing else."""
    coming = survey.attempt(run, host)
    problems = rollback.drop_packages(run, host)
    runs.release(run)
    state = "broken" if problems else "rolled_back"
    return dict(survey.done(coming, run, host), state=state, reason="; ".join(problems))


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

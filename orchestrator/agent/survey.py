"""What of a run is still there to be taken back, and what of that has gone back."""

from . import comparison, facts, journal, resources, systemd
from .host import Host, Unreadable
from .runs import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

# Of these, only packages may be left: the timer runs no dpkg, an operator's rollback does.
ENDED = ("dropped", "rolled_back")
# What an operator's rollback puts back: resources, packages that go, packages that return.
_PARTS = ("resources", "away", "back")


def stands(record: "Dict[str, Any]") -> bool:
    """Return whether anything of a run is still there to be taken back."""
    return not record.get("discarded") and not taken_back(record)


def taken_back(record: "Dict[str, Any]") -> bool:
    """Return whether a run went back with all that it had changed."""
    return record["state"] in ENDED and not record.get("left")


def survey(run: Run, host: Host) -> "Dict[str, List[str]]":
    """Return what an operator's rollback of a run would put back now. Changes nothing.

    ``resources`` are those that are not as they were before the run; ``away`` are packages that
    would go, ``back`` packages with the version that would return.
    """
    record = run.record()
    found: "Dict[str, List[str]]" = {part: [] for part in _PARTS}
    if not stands(record):
        return found
    if record["state"] not in ENDED:
        entries = journal.entries(run, journal.JOURNAL)
        if entries:
            entries = before_packages(journal.entries(run, journal.BEFORE), entries, host)
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


def attempt(run: Run, host: Host) -> "Optional[Dict[str, List[str]]]":
    """Return the survey, or None where it cannot be made: the way back does not depend on it."""
    host.forget()
    try:
        return survey(run, host)
    except (Unreadable, OSError):
        return None


def done(coming: "Optional[Dict[str, List[str]]]", run: Run, host: Host) -> "Dict[str, Any]":
    """Return, for the result of a rollback, what of that which had to go back has gone back."""
    left = attempt(run, host)
    if coming is None or left is None:
        return {}
    return {"done": {part: [x for x in coming[part] if x not in left[part]] for part in _PARTS}}


def before_packages(
    first: "List[Dict[str, Any]]", entries: "List[Dict[str, Any]]", host: Host
) -> "List[Dict[str, Any]]":
    """Return the resources as they were at begin: where packages have gone, only that makes sense.

    Of the later ``entries``, those are among them of which the ``first`` knew nothing, and that
    have not gone since.
    """
    known = {entry["resource"] for entry in first}
    found = list(first)
    for entry in entries:
        type_, key = resources.split(entry["resource"])
        if entry["resource"] in known or (type_ == "dress" and "path:" + key in known):
            continue
        if type_ != "unit" or systemd.unit_states(host, [key])[key].load != "not-found":
            found.append(entry)
    return found

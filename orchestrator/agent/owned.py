"""What confirmed runs made their own on this host, and how it was before the first of them.

``owned.json`` holds, by resource, the controls that own it, its ``origin`` (as it was before any of
them), and the digest of how the last run left it (``left``). ``mixed`` tells that somebody else
changed it between two runs: then its origin is not what there was before a control of ours alone.
``origins/`` holds contents by their SHA-256. All of it is root's alone, and outlives the journals.
"""

import json
import os

from . import journal, resources, runs
from .host import Unreadable
from .runs import Run, private_directory, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List

    Document = Dict[str, Any]

FILE = runs.BASE + "/owned.json"
ORIGINS = runs.BASE + "/origins"
# Files of a run: what it changes by control; what was owned, of that, before it was confirmed.
CLAIMS = "claims.json"
FORMER = "owned-before.json"


def load() -> "Document":
    """Return ``{"resources": {…}, "controls": {…}}``; raises Unreadable where it is damaged."""
    try:
        with open(FILE, "rb") as stream:
            return json.loads(stream.read().decode())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return {"resources": {}, "controls": {}}
    except ValueError as problem:
        raise Unreadable("{}: {}".format(FILE, problem)) from None


def of_control(owned: "Document", control: str) -> "List[str]":
    """Return the resources that a control owns, in the order in which runs came to them."""
    found = [r for r, entry in owned["resources"].items() if control in entry["owners"]]
    return sorted(found, key=lambda resource: int(owned["resources"][resource]["order"]))


def origin_digest(entry: "Document") -> str:
    """Return the digest (not keyed) of how an owned resource was before us."""
    return resources.digest(entry["origin"], content(entry["origin"]), b"")


def content(state: "Document") -> bytes:
    """Return the content that a file had in an origin."""
    if "object" not in state:
        return b""
    with open("{}/{}".format(ORIGINS, state["object"]), "rb") as stream:
        return stream.read()


def claim(run: Run, controls: "Dict[str, Document]", pruned: "Iterable[str]") -> None:
    """Write down what a run changes.

    By control: its ``resources``, those of them whose content was ``shown``, ``activates``, risk.
    """
    run.save(CLAIMS, {"controls": controls, "pruned": list(pruned)})


def claimed(run: Run) -> "List[str]":
    """Return the controls that a run changes; raises FileNotFoundError before it has converged."""
    return list(run.load(CLAIMS)["controls"])


def take_over(run: Run) -> None:
    """Make a confirmed run's resources its controls' own; what it pruned is nobody's any more.

    Called again after an interruption, or after removals, it comes to the same.
    """
    claims = run.load(CLAIMS)
    if not os.path.exists(run.path(FORMER)):
        run.save(FORMER, _concerned(load(), claims))
    owned = _with(load(), run.load(FORMER))
    entries = {entry["resource"]: entry["state"] for entry in journal.entries(run, journal.JOURNAL)}
    left = run.load(journal.AFTER)
    for control in claims["pruned"]:
        _disown(owned, control)
    for resource, entry in owned["resources"].items():
        if resource in entries:
            _follow(run, resource, entry, entries[resource])
            entry["left"] = left[resource]
    for control, its in claims["controls"].items():
        _own(owned, control, its)
        for resource in its["resources"]:
            if resource in entries and not resource.startswith("package:"):
                entry = _added(owned, resource, control, run, entries[resource])
                entry["left"] = left[resource]
                entry["shown"] = entry["shown"] or resource in its["shown"]
    _save(owned)


def give_back(run: Run) -> None:
    """Let everything be owned as it was before a run, because the run was taken back."""
    if os.path.exists(run.path(FORMER)):
        _save(_with(load(), run.load(FORMER)))
        os.unlink(run.path(FORMER))


def sweep(known: "Iterable[Run]") -> None:
    """Remove the contents that no origin needs, nor the way back of a run that is known."""
    if not os.path.isdir(ORIGINS):
        return
    kept = set(_objects(load()))
    for run in known:
        if os.path.exists(run.path(FORMER)):
            kept.update(_objects(run.load(FORMER)))
    for name in os.listdir(ORIGINS):
        if name not in kept:
            os.unlink("{}/{}".format(ORIGINS, name))


def _concerned(owned: "Document", claims: "Document") -> "Document":
    """Return what a run may change of what is owned: entries as they are, None for none."""
    names = [r for its in claims["controls"].values() for r in its["resources"]]
    controls = [*claims["controls"], *claims["pruned"]]
    for control in controls:
        names += of_control(owned, control)
    return {
        "resources": {name: owned["resources"].get(name) for name in names},
        "controls": {name: owned["controls"].get(name) for name in controls},
    }


def _with(owned: "Document", former: "Document") -> "Document":
    """Return what is owned, with the former entries in the place of the present ones."""
    for part, entries in former.items():
        for name, entry in entries.items():
            owned[part].pop(name, None)
            if entry is not None:
                owned[part][name] = entry
    return owned


def _own(owned: "Document", control: str, its: "Document") -> None:
    before = owned["controls"].get(control, {"activates": []})
    activates = before["activates"] + [a for a in its["activates"] if a not in before["activates"]]
    owned["controls"][control] = {"activates": activates, "risk": its["risk"]}


def _disown(owned: "Document", control: str) -> None:
    for resource in of_control(owned, control):
        entry = owned["resources"][resource]
        entry["owners"].remove(control)
        if not entry["owners"]:
            del owned["resources"][resource]
    owned["controls"].pop(control, None)


def _follow(run: Run, resource: str, entry: "Document", met: "Document") -> None:
    """See whether somebody else had changed a resource before a run came to it."""
    found = resources.digest(met, journal.content(run, met), b"")
    if found != entry["left"]:
        entry["mixed"] = found != origin_digest(entry)


def _added(
    owned: "Document", resource: str, control: str, run: Run, state: "Document"
) -> "Document":
    """Let a control own a resource too and return its entry; ``state`` is how the run met it."""
    entry = owned["resources"].get(resource)
    if entry is None or resources.replaced(resource, entry["origin"], state):
        order = 1 + max((e["order"] for e in owned["resources"].values()), default=0)
        _keep(run, state)
        entry = {"order": order, "owners": [], "origin": state, "mixed": False, "shown": False}
        owned["resources"][resource] = entry
    if control not in entry["owners"]:
        entry["owners"].append(control)
    return entry  # type: ignore[no-any-return]


def _keep(run: Run, state: "Document") -> None:
    place = "{}/{}".format(ORIGINS, state.get("object", ""))
    if "object" in state and not os.path.exists(place):
        private_directory(ORIGINS)
        write_private(place, journal.content(run, state))


def _save(owned: "Document") -> None:
    write_private(FILE, json.dumps(owned, sort_keys=True).encode())


def _objects(part: "Document") -> "Iterable[str]":
    for entry in part["resources"].values():
        if entry is not None and "object" in entry["origin"]:
            yield entry["origin"]["object"]

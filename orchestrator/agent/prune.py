"""Controls that are wanted no more: everything that they own goes back to what was before them.

Where others own a resource too, they lose it with the origin, and are set again in the same run.
"""

from . import kinds, owned, resources
from .audit import judge_control
from .host import NotEmpty, Refused, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set, Tuple

    from .host import Host

    Document = Dict[str, Any]

_ABSENT = "absent"


def planned(wish: "Document", host: "Host", key: bytes) -> "Tuple[List[Document], Dict[str, str]]":
    """Return the changes by which controls are taken out, and why others are left to people.

    ``wish`` names those that stay (``keep``), or those to take out (``only``); with ``force``,
    also what somebody changed since goes back.
    """
    known = owned.load()
    controls = wish.get("only")
    if controls is None:
        controls = sorted(set(known["controls"]) - set(wish["keep"]))
    changes: "List[Document]" = []
    stuck: "Dict[str, str]" = {}
    for control in controls:
        if control not in known["controls"]:
            stuck[control] = "nothing on this host is its own; packages stay with their run"
            continue
        moved = [] if wish.get("force") else _moved(known, control, host)
        if moved:
            told = "changed by somebody else since it was set: {}".format(", ".join(moved))
            stuck[control] = told
        else:
            changes.append(_change(known, control, host, key))
    return changes, stuck


def refuse_if_moved(controls: "Iterable[str]", changes: "Dict[str, Dict[str, str]]") -> None:
    """Raise Refused where controls do not own what they owned when their taking out was planned.

    Only what was planned is compared with the host and journaled.
    """
    known = owned.load()
    moved: "Set[str]" = set()
    for control in controls:
        moved.update(set(owned.of_control(known, control)) ^ set(changes[control]))
    if moved:
        raise Refused("changed since the plan: {}".format(", ".join(sorted(moved))))


def take_out(controls: "Iterable[str]", host: "Host") -> "List[str]":
    """Put everything back that controls own, the newest first; return what is to be activated.

    Raises Unreadable or OSError where something cannot be put back. Directories that somebody
    filled stay.
    """
    known = owned.load()
    names = sorted(
        {resource for control in controls for resource in owned.of_control(known, control)},
        key=lambda resource: -int(known["resources"][resource]["order"]),
    )
    for resource in names:
        _restore(resource, known, host)
    for resource in names:
        # Setting one kernel parameter may reset others.
        if resource.startswith("sysctl:"):
            _restore(resource, known, host)
    return activated(controls)


def activated(controls: "Iterable[str]") -> "List[str]":
    """Return what was activated when controls were set."""
    known = owned.load()
    found: "Dict[str, None]" = {}
    for control in controls:
        found.update(dict.fromkeys(known["controls"][control]["activates"]))
    return list(found)


def holding(manifest: "Document", host: "Host") -> "Set[str]":
    """Return the controls that hold now."""
    return {c["id"] for c in manifest["controls"] if judge_control(c, host)["verdict"] == "pass"}


def fallen(manifest: "Document", held: "Set[str]", host: "Host") -> "List[str]":
    """Return the controls that held before something was taken out, and do not hold any more."""
    return [
        control["id"]
        for control in manifest["controls"]
        if control["id"] in held
        and judge_control(control, host)["verdict"] not in ("pass", "not_applicable")
    ]


def _moved(known: "Document", control: str, host: "Host") -> "List[str]":
    """Return the resources of which nobody can say any more what there would be without us."""
    found = []
    for resource in owned.of_control(known, control):
        entry = known["resources"][resource]
        state, content = resources.capture(resource, host)
        now = resources.digest(state, content, b"")
        untouched = resources.replaced(resource, entry["origin"], state)
        if untouched or now == owned.origin_digest(entry):
            continue
        # A file that was not there before us is ours alone, whatever somebody wrote into it once.
        ours = entry["origin"].get("type") == _ABSENT
        if now != entry["left"] or (entry["mixed"] and not ours):
            found.append(resource)
    return found


def _change(known: "Document", control: str, host: "Host", key: bytes) -> "Document":
    change: "Document" = {
        "control": control,
        "risk": known["controls"][control]["risk"],
        "summary": ["goes back to what was before it"],
        "diff": "",
        "before": {},
        "activates": known["controls"][control]["activates"],
        "install": {},
        "remove": [],
        "impacts": [],
    }
    shared: "Dict[str, None]" = {}
    for resource in reversed(owned.of_control(known, control)):
        entry = known["resources"][resource]
        state, content = resources.capture(resource, host)
        change["before"][resource] = resources.digest(state, content, key)
        diff = _diff(resource, content, entry)
        change["diff"] += diff
        if not diff and resources.digest(state, content, b"") != owned.origin_digest(entry):
            change["summary"].append("{} goes back".format(resource))
        shared.update(dict.fromkeys(other for other in entry["owners"] if other != control))
    if shared:
        change["summary"].append("where it is wanted, set again: {}".format(", ".join(shared)))
    return change


def _diff(resource: str, now: bytes, entry: "Document") -> str:
    """Return what a file loses and gets back, where its content was shown when it was set."""
    then = owned.content(entry["origin"])
    if not entry["shown"] or now == then:
        return ""
    key = resources.split(resource)[1]
    return kinds.unified(key, now.decode("utf-8", "replace"), then.decode("utf-8", "replace"))


def _restore(resource: str, known: "Document", host: "Host") -> None:
    origin = known["resources"][resource]["origin"]
    try:
        resources.restore(resource, origin, owned.content(origin), host)
    except NotEmpty:
        pass
    except (Unreadable, OSError) as problem:
        raise Unreadable("{}: {}".format(resource, problem)) from None
    host.forget()

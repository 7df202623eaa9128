"""What apt would do for a plan: versions, what comes along, and what it cannot do."""

from . import ahead, packages
from .host import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Set

    from .host import Host

# How `apt-cache depends --important` begins what one package may rest on.
_RELATIONS = ("Depends:", "|Depends:", "PreDepends:", "|PreDepends:")


class Together:
    """Installs that apt simulated as one: versions, and what each package may rest on."""

    def __init__(self, versions: "Dict[str, str]", needs: "Dict[str, Set[str]]") -> None:
        self.versions = versions
        self.needs = needs

    def part(self, names: "Iterable[str]") -> "Dict[str, str]":
        """Return the versions of those named and of all that they rest on, as far as they come."""
        reached: "Dict[str, str]" = {}
        waiting = [name for name in names if name in self.versions]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached[name] = self.versions[name]
                needed = self.needs.get(name, ())
                waiting.extend(other for other in needed if other in self.versions)
        return reached


def pin(changes: "List[Dict[str, Any]]", unplanned: "Dict[str, str]", host: "Host") -> None:
    """Pin packages to the versions that apt would take; drop what apt cannot do.

    A question to apt takes a second of the host: where everything together goes well, one is
    enough for all; where it does not, each change is asked for alone, and told why. Where there is
    not the room for all that would come, none of it is begun.
    """
    while True:
        together = _installed_together(changes, host)
        found = _versions(changes, unplanned, host, together)
        dropped = len(found) < len(changes)
        changes[:] = [change for change in changes if change["control"] in found]
        # Without what was dropped from all together, apt may choose otherwise.
        if not (together and dropped):
            break
    coming: "Dict[str, str]" = {}
    for versions in found.values():
        coming.update(versions)
    short = ahead.shortages(coming, host)
    if short:
        unplanned.update((control, "; ".join(short)) for control in found if found[control])
        changes[:] = [change for change in changes if change["control"] not in unplanned]
    for change in changes:
        names, versions = change["install"], found[change["control"]]
        change["install"] = {name: versions.get(name, "") for name in names}
        if len(versions) > len(names):
            others = sorted(set(versions) - set(names))
            change["summary"].append("with them: {}".format(", ".join(others)))
        change["summary"] += ahead.effects(versions, host)


def _versions(
    changes: "List[Dict[str, Any]]",
    unplanned: "Dict[str, str]",
    host: "Host",
    together: "Optional[Together]",
) -> "Dict[str, Dict[str, str]]":
    """Return, by control, what would be installed; what cannot be is told in ``unplanned``."""
    simple = _removed_alone(changes, host)
    found = {}
    for change in changes:
        names, removed = change["install"], change["remove"]
        try:
            versions = together.part(names) if together else _installed_alone(names, host)
            packages.refuse_foreign(versions)
            if removed and not simple:
                _refuse_others(packages.simulate("remove", removed, host)[1], removed)
            found[change["control"]] = versions
        except Unreadable as problem:
            unplanned[change["control"]] = str(problem)
    return found


def _installed_alone(names: "List[str]", host: "Host") -> "Dict[str, str]":
    """Return (package → version) of what apt would install for one change."""
    versions, gone = packages.simulate("install", names, host) if names else ({}, set())
    _refuse_others(gone, ())
    return versions


def _refuse_others(gone: "Set[str]", wanted: "Iterable[str]") -> None:
    others = sorted(gone - set(wanted))
    if others:
        raise Unreadable("apt would also remove {}".format(", ".join(others)))


def _installed_together(changes: "List[Dict[str, Any]]", host: "Host") -> "Optional[Together]":
    """Return what apt would install for all changes at once, where each is a part of it.

    None where apt refuses, would remove something, or brings what no wanted package rests on.
    """
    names = sorted({name for change in changes for name in change["install"]})
    if not names:
        return None
    try:
        versions, gone = packages.simulate("install", names, host)
        together = Together(versions, _dependencies(versions, host))
    except Unreadable:
        return None
    return None if gone or together.part(names) != versions else together


def _removed_alone(changes: "List[Dict[str, Any]]", host: "Host") -> bool:
    """Return whether all removals together take nothing else along: then none of them does."""
    removed = [name for change in changes for name in change["remove"]]
    if not removed:
        return True
    try:
        return not packages.simulate("remove", removed, host)[1] - set(removed)
    except Unreadable:
        return False


def _dependencies(names: "Iterable[str]", host: "Host") -> "Dict[str, Set[str]]":
    names = sorted(names)
    argv = ["/usr/bin/apt-cache", "depends", "--important", *names]
    return parse_depends(host.expect(argv)) if names else {}


def parse_depends(out: bytes) -> "Dict[str, Set[str]]":
    """Return (package → packages it may rest on) of ``apt-cache depends --important``.

    Of alternatives, and of the providers of a virtual package, all count.
    """
    found: "Dict[str, Set[str]]" = {}
    name = ""
    for line in out.decode("utf-8", "replace").splitlines():
        words = line.split()
        if not words:
            continue
        if not line.startswith(" "):
            name = words[0]
            found.setdefault(name, set())
        elif words[0] in _RELATIONS:
            found[name].add(words[-1])
        elif line.startswith("    "):
            found[name].add(words[0])
    return found

"""``unit``: whether a systemd unit starts at boot and whether it runs."""

from .. import systemd
from ..host import Host, Unreadable
from ..resources import path
from ..resources import unit as units
from . import Judgement, Proposal, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

PHASE = "services"

# systemctl(1), is-enabled: the states that start a unit without anybody asking.
_STARTS = ("enabled", "enabled-runtime", "alias", "static", "indirect", "generated")
_UNTIL_BOOT = "masked-runtime"
_MASKED = ("masked", _UNTIL_BOOT)


def observe(want: "Dict[str, Any]", host: Host) -> systemd.UnitState:
    """Return how the unit stands."""
    names = host.once("unit-names", lambda: [want["name"]])
    if want["name"] not in names:
        return systemd.unit_states(host, [want["name"]])[want["name"]]
    try:
        states = host.once("units", lambda: systemd.unit_states(host, names))
    except Unreadable:
        # One broken unit among them: the others can be told all the same.
        states = systemd.unit_states(host, [want["name"]])
    return states[want["name"]]  # type: ignore[no-any-return]


def prepare(wants: "List[Dict[str, Any]]", host: Host) -> None:
    """Let every unit that will be asked for be read in one conversation."""
    host.once("unit-names", lambda: sorted({want["name"] for want in wants}))


def judge(want: "Dict[str, Any]", observed: systemd.UnitState) -> Judgement:
    """Return whether the unit is as wanted; a unit that does not exist neither starts nor runs."""
    expected, passed = [], True
    starts = observed.enabled in _STARTS and observed.load not in ("masked", "not-found")
    runs = observed.active in units.RUNNING
    masked = _masked_for_good(observed)
    for key, holds, yes, no in (
        ("enabled", starts, "starts at boot", "does not start at boot"),
        ("active", runs, "runs", "does not run"),
        ("masked", masked, "masked", "not masked"),
    ):
        if key in want:
            expected.append(yes if want[key] else no)
            passed = passed and want[key] is holds
    seen = [observed.load, observed.enabled, observed.active]
    text = ", ".join(part for part in seen if part)
    name = want["name"]
    shown = "{} ({})".format(name, observed.real) if observed.real else name
    return Judgement.of(
        passed, "{}: {}".format(name, ", ".join(expected)), "{}: {}".format(shown, text)
    )


def propose(want: "Dict[str, Any]", observed: systemd.UnitState, target: Target) -> Proposal:
    """Return the verbs that lead to the wanted state, and the units that they touch along."""
    verbs = steps(want, observed)
    touched: "List[str]" = []
    for verb in verbs:
        for name in _meant(verb, want, observed):
            touched += [
                unit
                for unit in (name, *units.along(name, verb, target.host))
                if unit not in touched
            ]
    resources = ["unit:" + unit for unit in touched]
    if "mask" in verbs:
        places = [units.mask_place(name) for name in _meant("mask", want, observed)]
        parents = {parent for place in places for parent in path.missing_parents(place)}
        resources = ["path:" + parent for parent in sorted(parents)] + resources
    shown = touched[0] if touched else want["name"]
    return Proposal("{}: {}".format(shown, ", ".join(verbs)), resources, ("daemon-reload",))


def _meant(verb: str, want: "Dict[str, Any]", observed: systemd.UnitState) -> "List[str]":
    """Return the names that a verb is for: the unit's own, even where it was named by an alias.

    A mask covers the alias as well, which disabling may take away. But of a target, only the alias:
    who masks ctrl-alt-del.target does not mean reboot.target.
    """
    name = want["name"]
    if not observed.real:
        return [name]
    if verb not in ("mask", "unmask"):
        return [observed.real]
    return [name] if name.endswith(".target") else [observed.real, name]


def steps(want: "Dict[str, Any]", observed: systemd.UnitState) -> "List[str]":
    """Return the systemctl verbs that are needed, in order."""
    starts = observed.enabled in _STARTS
    runs = observed.active in units.RUNNING
    masked = observed.enabled in _MASKED
    verbs = []
    if masked and (want.get("masked") is False or want.get("enabled") or want.get("active")):
        verbs.append("unmask")
    if "enabled" in want and want["enabled"] is not starts:
        verbs.append("enable" if want["enabled"] else "disable")
    if "active" in want and want["active"] is not runs:
        verbs.append("start" if want["active"] else "stop")
    if want.get("masked") is True and not _masked_for_good(observed):
        verbs.append("mask")
    return verbs


def _masked_for_good(observed: systemd.UnitState) -> bool:
    """Return whether a unit is masked, and will be after the next boot."""
    masked = observed.enabled == "masked" or observed.load == "masked"
    return masked and observed.enabled != _UNTIL_BOOT


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Do nothing: a unit that does not start fails its converge, and the run goes back."""


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Carry the verbs out."""
    host = target.host
    observed = systemd.unit_states(host, [want["name"]])[want["name"]]
    for verb in steps(want, observed):
        for name in _meant(verb, want, observed):
            if verb in ("start", "stop"):
                # What is stopped is known as it runs; a reload for each of many units takes long.
                if verb == "start":
                    units.reload_manager(host)
                units.control(host, verb, name)
            elif verb == "mask":
                units.mask(name)
            elif verb == "unmask":
                units.unmask(host, name)
            else:
                units.change_links(host, verb, name)

"""Observe and judge every control of a manifest. Changes nothing, writes nothing."""

from . import facts, kinds
from .host import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

    from .host import Host

# The kinds that read in one go what all their states ask for.
_PREPARED = ("unit", "walk")
_WORST_FIRST = ("error", "fail", "not_checked", "pass", "not_applicable")


def audit(manifest: "Dict[str, Any]", host: "Host") -> "List[Dict[str, Any]]":
    """Return one finding per control, in the order of the manifest."""
    prepare(manifest, host)
    return [judge_control(control, host) for control in manifest["controls"]]


def prepare(manifest: "Dict[str, Any]", host: "Host") -> None:
    """Let the kinds gather what they will be asked, so that it is read once."""
    wants: "Dict[str, List[Dict[str, Any]]]" = {kind: [] for kind in _PREPARED}
    for control in manifest["controls"]:
        for state in _asked(control, host):
            if state["kind"] in wants:
                wants[state["kind"]].append(state["want"])
            elif state["kind"] == "audit_rules":
                wants["walk"] += kinds.module("audit_rules").walks(state["want"])
    for kind, asked in wants.items():
        if asked:
            kinds.module(kind).prepare(asked, host)


def judge_control(control: "Dict[str, Any]", host: "Host") -> "Dict[str, Any]":
    """Return the finding of one control: the worst of its states."""
    try:
        reason = facts.applicable(control.get("applies", {}), host)
    except Unreadable as problem:
        state = {"kind": "applies", "verdict": "error", "detail": str(problem)}
        return {"control": control["id"], "verdict": "error", "states": [state]}
    if reason:
        state = {"kind": "applies", "verdict": "not_applicable", "detail": reason}
        return {"control": control["id"], "verdict": "not_applicable", "states": [state]}
    states: "List[Dict[str, Any]]" = []
    for wish in control["desired"]:
        states.extend(_judge_wish(wish, host))
    verdict = worst(state["verdict"] for state in states)
    return {"control": control["id"], "verdict": verdict, "states": states}


def judge_state(state: "Dict[str, Any]", host: "Host") -> "Dict[str, Any]":
    """Return the judgement of one state; what could not be read is an error."""
    kind = kinds.module(state["kind"])
    told = {"kind": state["kind"], "verdict": "error", "expected": "", "observed": "", "detail": ""}
    try:
        judgement = kind.judge(state["want"], kind.observe(state["want"], host))
    except (Unreadable, OSError, ValueError, RecursionError) as problem:
        # ValueError: no text, or a number of more digits than Python reads.
        told["detail"] = kinds.bounded(str(problem))
        return told
    told["verdict"] = judgement.verdict
    told["expected"] = judgement.expected
    told["observed"] = judgement.observed
    told["detail"] = judgement.detail
    if judgement.pending:
        told["pending"] = True
    return told


def worst(verdicts: "Iterator[str]") -> str:
    """Return the verdict that decides; of nothing, ``not_checked``."""
    found = list(verdicts)
    for verdict in _WORST_FIRST:
        if verdict in found:
            return verdict
    return "not_checked"


def chosen_states(control: "Dict[str, Any]", host: "Host") -> "List[Tuple[int, Dict[str, Any]]]":
    """Return (number, state) of what apply would build.

    Of alternatives, that is one that already passes, otherwise the first.
    """
    chosen: "List[Dict[str, Any]]" = []
    for wish in control["desired"]:
        if "any_of" not in wish:
            chosen.append(wish)
            continue
        chosen.extend(_passing(wish["any_of"], host) or wish["any_of"][0])
    return list(enumerate(chosen))


def _judge_wish(wish: "Dict[str, Any]", host: "Host") -> "List[Dict[str, Any]]":
    if "any_of" not in wish:
        return [judge_state(wish, host)]
    settled = _settled(wish["any_of"], host)
    if settled:
        return [judge_state(state, host) for state in settled]
    judged = [[judge_state(state, host) for state in states] for states in wish["any_of"]]
    verdicts = [worst(state["verdict"] for state in states) for states in judged]
    for wanted in ("pass", "error"):
        if wanted in verdicts:
            return judged[verdicts.index(wanted)]
    return judged[0]


def _asked(control: "Dict[str, Any]", host: "Host") -> "Iterator[Dict[str, Any]]":
    """Yield the states that an audit of a control will have to read."""
    try:
        if facts.applicable(control.get("applies", {}), host):
            return
    except Unreadable:
        return
    for wish in control["desired"]:
        if "any_of" not in wish:
            yield wish
        elif not _settled(wish["any_of"], host):
            for states in wish["any_of"]:
                yield from states


def _settled(ways: "List[List[Dict[str, Any]]]", host: "Host") -> "List[Dict[str, Any]]":
    """Return an alternative of packages alone that holds, else nothing.

    Packages are known anyway; units would have to be asked for, one by one.
    """
    for states in ways:
        packages = all(state["kind"] == "package" for state in states)
        if packages and _verdict(states, host) == "pass":
            return states
    return []


def _passing(ways: "List[List[Dict[str, Any]]]", host: "Host") -> "List[Dict[str, Any]]":
    settled = _settled(ways, host)
    if settled:
        return settled
    return next((states for states in ways if _verdict(states, host) == "pass"), [])


def _verdict(states: "List[Dict[str, Any]]", host: "Host") -> str:
    return worst(judge_state(state, host)["verdict"] for state in states)

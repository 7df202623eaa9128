"""Saved plans as plain data, and back: every field of theirs is declared here, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from orchestrator.fleet.told import records, text, texts
from orchestrator.model.change import Change, HostPlan
from orchestrator.model.finding import Risk
from orchestrator.model.impact import Impact, ImpactName
from orchestrator.model.selection import Selection
from orchestrator.model.waiver import Accepted, Waiver
from orchestrator.workspace.own_roles import OwnRoles


@dataclass(frozen=True)
class SavedPlan:
    """What apply would change on some hosts, as it was at one moment.

    ``created`` is in UTC. ``hosts`` are the plans, ``without_plan`` tells by host why it gave none.
    ``waivers`` holds by host a digest of the waivers in force. ``own_roles`` run beside the
    changes; ``own_digests`` holds by name a digest of what each of them is.
    """

    id: str
    created: datetime
    operator: str
    profile: str
    selection: Selection
    hosts: tuple[HostPlan, ...]
    waivers: Mapping[str, str]
    without_plan: Mapping[str, str]
    own_roles: OwnRoles
    own_digests: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        written: dict[str, Any] = _PLAN.write(self)
        return written

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "SavedPlan":
        """Return the plan that plain data tells.

        Raises AttributeError, KeyError, TypeError or ValueError where it has another shape.
        """
        read: SavedPlan = _PLAN.read(document)
        return read


class _Form(NamedTuple):
    """How a value becomes plain data, and how it is read from it."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _record(kind: type, fields: Mapping[str, _Form]) -> _Form:
    """Return the form of a dataclass: exactly these fields."""

    def write(value: Any) -> dict[str, Any]:
        return {name: form.write(getattr(value, name)) for name, form in fields.items()}

    def read(told: Any) -> Any:
        if told.keys() != fields.keys():
            raise ValueError(f"fields of {kind.__name__}: {', '.join(map(str, told))}")
        return kind(**{name: form.read(told[name]) for name, form in fields.items()})

    return _Form(write, read)


def _many(form: _Form) -> _Form:
    return _Form(
        lambda values: [form.write(value) for value in values],
        lambda told: tuple(form.read(one) for one in records(told)),
    )


def _by_name(form: _Form) -> _Form:
    return _Form(
        lambda values: {name: form.write(value) for name, value in values.items()},
        lambda told: {name: form.read(value) for name, value in told.items()},
    )


def _flag(told: Any) -> bool:
    if not isinstance(told, bool):
        raise TypeError(f"true or false expected, not {type(told).__name__}")
    return told


def _utc(told: Any) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.utcoffset() is None:
        raise ValueError("a time without its zone")
    return moment


_TEXT = _Form(str, text)
_TEXTS = _Form(list, texts)
_WORDS = _by_name(_TEXT)
_MAYBE_TEXT = _Form(lambda value: value, lambda told: None if told is None else text(told))
_FLAG = _Form(bool, _flag)
_DAY = _Form(date.isoformat, date.fromisoformat)
_MOMENT = _Form(datetime.isoformat, _utc)
# A diff is read by people too: line by line.
_LINES = _Form(lambda value: value.splitlines(keepends=True), lambda told: "".join(texts(told)))

_IMPACT = _record(Impact, {"name": _Form(str, ImpactName), "detail": _TEXT})
_CHANGE = _record(
    Change,
    {
        "control": _TEXT,
        "risk": _Form(str, Risk),
        "summary": _TEXTS,
        "diff": _LINES,
        "before": _WORDS,
        "activates": _TEXTS,
        "install": _WORDS,
        "remove": _TEXTS,
        "impacts": _many(_IMPACT),
        "prunes": _FLAG,
    },
)
# Neither ended ones nor places in a file: a waiver in a plan is in force, and its file may move on.
_WAIVER = _record(
    Waiver,
    {
        "id": _TEXT,
        "control": _TEXT,
        "reason": _TEXT,
        "approver": _TEXT,
        "added": _DAY,
        "by": _TEXT,
        "until": _DAY,
        "accepted": _many(_record(Accepted, {"hosts": _TEXTS, "observed": _TEXTS})),
        "limit": _TEXT,
    },
)
_HOST = _record(
    HostPlan,
    {
        "host": _TEXT,
        "manifest_digest": _TEXT,
        "audit_only": _FLAG,
        "problems": _TEXTS,
        "changes": _many(_CHANGE),
        "unplanned": _WORDS,
        "by_hand": _WORDS,
        "waived": _by_name(_WAIVER),
    },
)
_SELECTION = _record(
    Selection,
    {
        "limit": _MAYBE_TEXT,
        "chapters": _TEXTS,
        "controls": _TEXTS,
        "without": _TEXTS,
        "forced": _FLAG,
    },
)
_PLAN = _record(
    SavedPlan,
    {
        "id": _TEXT,
        "created": _MOMENT,
        "operator": _TEXT,
        "profile": _TEXT,
        "selection": _SELECTION,
        "without_plan": _WORDS,
        "waivers": _WORDS,
        "own_roles": _record(OwnRoles, {"before": _TEXTS, "after": _TEXTS}),
        "own_digests": _WORDS,
        "hosts": _many(_HOST),
    },
)

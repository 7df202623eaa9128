"""Wishes that exclude each other: inside one state, and between the controls of a profile."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

from orchestrator.agent import schema
from orchestrator.agent.account_rules import RULES
from orchestrator.agent.conditions import describe, meets, plain
from orchestrator.model.control import Control
from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _

# What one asks of these and what another asks can both hold.
_ADDING = {"mode_at_most", "options", "with", "without"}
_SILENT = {"reload", "restart", "public", "template", "type"}


class Wish(NamedTuple):
    """One state of one control, outside of alternatives."""

    control: str
    applies: Mapping[str, Any]
    kind: str
    want: Mapping[str, Any]


class Conflict(NamedTuple):
    """Two controls that cannot both hold; ``second`` is the later one."""

    first: str
    second: str
    message: str


def refusal(
    conflict: Conflict, message: str, controls: Mapping[str, Control]
) -> ConfigurationError:
    """Return the error for a conflict: at the later control, naming the place of the earlier."""
    first, second = controls[conflict.first], controls[conflict.second]
    hint = _("{control} stands at {place}").format(control=first.id, place=first.position)
    return ConfigurationError(message, position=second.position, hint=hint)


def contradictions(kind: str, want: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Return (key, message) pairs for parameters of one state that exclude each other.

    ``want`` has passed ``schema.problems``.
    """
    if schema.KINDS[kind].mapping:
        return [found for item in want.items() for found in _bounds(*item)]
    found = _EXCLUSIONS[kind](want) if kind in _EXCLUSIONS else []
    return list(found)


def conflicts(wishes: Iterable[Wish]) -> Iterator[Conflict]:
    """Yield what two different controls want of the same thing and cannot both have.

    Values that still are templates are passed over, and so are controls that never apply to the
    same system.
    """
    claims: dict[tuple[str, str, str], list[tuple[Wish, Any]]] = {}
    for wish in wishes:
        for thing, aspect, value in _claims(wish.kind, wish.want):
            others = claims.setdefault((wish.kind, thing, aspect), [])
            for other, earlier in others:
                if (
                    other.control != wish.control
                    and not _compatible(wish.kind, aspect, earlier, value)
                    and _may_meet(other.applies, wish.applies)
                ):
                    message = _("wants {what} {value}, but {other} wants {earlier}").format(
                        what=" ".join(part for part in (wish.kind, thing, aspect) if part),
                        value=_shown(value),
                        other=other.control,
                        earlier=_shown(earlier),
                    )
                    yield Conflict(other.control, wish.control, message)
            others.append((wish, value))


def _bounds(name: str, condition: Any) -> Iterator[tuple[str | None, str]]:
    if not isinstance(condition, dict):
        return
    low, high = condition.get("at_least"), condition.get("at_most")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield name, _("at_least is above at_most")
    if set(condition) == {"set"}:
        yield name, _("'set' needs a condition beside it")
    wanted = condition.get("set")
    if "set" in condition and not _templated(condition) and not meets(condition, plain(wanted)):
        yield name, _("the value to set does not meet the condition itself")


def _file(want: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    found: list[tuple[str | None, str]] = []
    if "content" in want and "template" in want:
        found.append(("template", _("content and template exclude each other")))
    if "mode" in want and "mode_at_most" in want:
        found.append(("mode_at_most", _("mode and mode_at_most exclude each other")))
    if want.get("type") == "directory":
        keys = [key for key in ("content", "template") if key in want]
        found.extend((key, _("a directory has no content")) for key in keys)
    judged = set(want) - {"path", "state", "type", *_SILENT} | ({"template"} & set(want))
    if want.get("state") == "absent":
        found.extend((key, _("what is absent has no {key}").format(key=key)) for key in judged)
    return found


def _unit(want: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    if not {"enabled", "active", "masked"} & set(want):
        return [(None, _("unit takes enabled, active or masked"))]
    if want.get("masked") is not True:
        return []
    keys = [key for key in ("enabled", "active") if want.get(key) is True]
    return [(key, _("a masked unit is neither enabled nor active")) for key in keys]


def _mount(want: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    if not {"own", "options"} & set(want):
        yield None, _("mount takes own or options")


def _files(want: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    if not want["paths"]:
        yield "paths", _("files takes at least one path")
    if not {"mode_at_most", "owner", "group", "system"} & set(want):
        yield None, _("files takes a mode, an owner or a group")


def _accounts(want: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    rule = RULES.get(want["rule"])
    if rule is not None and ("{days}" in rule.words) != ("days" in want):
        yield "rule", _("the rules about days take days, the others do not")


def _nft(want: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    if ("ruleset" in want) == ("template" in want):
        yield None, _("nft takes either a ruleset or a template")


_EXCLUSIONS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[tuple[str | None, str]]]] = {
    "accounts": _accounts,
    "file": _file,
    "files": _files,
    "mount": _mount,
    "nft": _nft,
    "unit": _unit,
}


def _claims(kind: str, want: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (thing, aspect, value): what a state wants of which thing."""
    if schema.KINDS[kind].mapping:
        for name, condition in want.items():
            if not _templated(condition):
                yield name.lower() if kind == "sshd" else name, "", condition
        return
    identity = schema.KINDS[kind].identity
    thing = str(want.get(identity, ""))
    if _templated(thing):
        return
    if kind == "file" and "state" not in want:
        yield thing, "state", "present"
    if kind == "unit" and want.get("masked") is True:
        yield from ((thing, aspect, False) for aspect in ("enabled", "active"))
    for aspect, value in want.items():
        if aspect not in _SILENT and aspect != identity and not _templated(value):
            yield thing, aspect, value


def _compatible(kind: str, aspect: str, one: Any, other: Any) -> bool:
    if schema.KINDS[kind].mapping:
        return _conditions_meet(one, other)
    if aspect in _ADDING or (kind == "file" and "optional" in (one, other)):
        return True
    if aspect == "group":
        return bool(_names(one) & _names(other))
    return bool(one == other)


def _conditions_meet(one: Any, other: Any) -> bool:
    if not isinstance(one, dict):
        return meets(other, plain(one))
    if not isinstance(other, dict):
        return meets(one, plain(other))
    low = max(one.get("at_least", -inf), other.get("at_least", -inf))
    if low > min(one.get("at_most", inf), other.get("at_most", inf)):
        return False
    if "one_of" in one and "one_of" in other:
        return any(meets(other, plain(value)) for value in one["one_of"])
    return True


def _may_meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether one host can satisfy both ``applies``."""
    if "os" in one and "os" in other and not _names(one["os"]) & _names(other["os"]):
        return False
    for less, more in ((one, other), (other, one)):
        if less.get("memory_below_mib", inf) <= more.get("memory_at_least_mib", -inf):
            return False
    return "container" not in one or one["container"] == other.get("container", one["container"])


def _names(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else {value}


def _templated(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_templated, value.values()))
    if isinstance(value, list):
        return any(map(_templated, value))
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _shown(value: Any) -> str:
    text = " ".join(describe(value).split())
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - one line in a terminal

"""The parameters of every kind: the one declaration that baselines are validated against.

A kind takes either named fields (``file``) or a map of names to conditions (``sshd``, ``sysctl``).
Fields marked ``compiled`` are read by the controller only and become another field: ``template``
is rendered into ``content``.
"""

from typing import Any, Dict, Iterator, List, Optional, Tuple

from ..conditions import KEYS as CONDITION_KEYS
from ..conditions import LISTS as CONDITIONS_OF_LISTS
from . import (
    access,
    accounts,
    antivirus,
    backups,
    files,
    filesystems,
    kernel,
    logging,
    logins,
    network,
    packages,
    services,
)
from .checks import CHECKS, is_mapped_name, templated
from .model import Field, Kind

__all__ = ["APPLIES", "KINDS", "Field", "Kind", "Problem", "problems"]

Problem = Tuple[Optional[str], str]

_GROUPS = (
    packages,
    accounts,
    files,
    filesystems,
    kernel,
    services,
    logging,
    access,
    network,
    logins,
    backups,
    antivirus,
)

KINDS: Dict[str, Kind] = {name: kind for group in _GROUPS for name, kind in group.KINDS.items()}

# What a control's ``applies`` may ask; all of it must hold, otherwise it is not applicable.
APPLIES = {
    "package": Field("name", "only where this package is installed"),
    "os": Field("names", "only on these systems, as ID-VERSION_ID of os-release (debian-12)"),
    "container": Field("boolean", "only in containers (true) or only outside of them (false)"),
    "memory_at_least_mib": Field("number", "only with this much memory or more (MiB)"),
    "memory_below_mib": Field("number", "only with less memory than this (MiB)"),
    "unless_kept": Field("name", "not where luytre_keep_services has this name", compiled=True),
    "unless_open": Field("ports", "not where luytre_services has one of these", compiled=True),
    "declared": Field("name", "only where the host has this variable", compiled=True),
}


def problems(kind: str, want: Any) -> List[Problem]:
    """Return what is wrong with the parameters of one state.

    The list holds (key, message) pairs; key is None where the state as a whole is wrong. Values
    that still are templates (``{{ … }}``) pass: they are checked again after rendering.
    """
    if kind not in KINDS:
        return [(None, "unknown kind {!r}; known: {}".format(kind, ", ".join(sorted(KINDS))))]
    if not isinstance(want, dict) or not want:
        return [(None, "{} takes a map of parameters".format(kind))]
    declared = KINDS[kind]
    if declared.mapping:
        return _mapping_problems(declared.mapping, want)
    return _field_problems(kind, declared.fields or {}, want)


def _field_problems(kind: str, fields: Dict[str, Field], want: Dict[Any, Any]) -> List[Problem]:
    found: List[Problem] = []
    for key, value in want.items():
        if key not in fields:
            known = ", ".join(sorted(fields))
            found.append((key, "unknown parameter {!r} of {}; known: {}".format(key, kind, known)))
        elif not templated(value):
            message = _value_problem(fields[key], value)
            if message:
                found.append((key, message))
    for key, field in sorted(fields.items()):
        if field.required and key not in want:
            found.append((None, "{} needs {!r} ({})".format(kind, key, field.doc)))
    return found


def _mapping_problems(mapping: str, want: Dict[Any, Any]) -> List[Problem]:
    found: List[Problem] = []
    for key, value in want.items():
        if not is_mapped_name(key):
            found.append((key, "{!r} is not a name of a {}".format(key, mapping)))
        elif isinstance(value, dict):
            unknown = sorted(map(str, set(value) - set(CONDITION_KEYS)))
            if unknown or not value:
                known = ", ".join(CONDITION_KEYS)
                found.append((key, "unknown condition {}; known: {}".format(unknown, known)))
            else:
                found.extend((key, text) for text in _condition_problems(value, mapping))
        elif not isinstance(value, (str, int)):
            found.append((key, "must be text, a number or a condition"))
        else:
            found.extend((key, text) for text in _scalar_problems([value], mapping))
    return found


def _condition_problems(condition: Dict[str, Any], mapping: str) -> Iterator[str]:
    for key in ("at_most", "at_least"):
        value = condition.get(key, 0)
        if not templated(value) and (isinstance(value, bool) or not isinstance(value, int)):
            yield "{} takes a whole number".format(key)
    for key in ("one_of", *CONDITIONS_OF_LISTS):
        value = condition.get(key, ["-"])
        named = isinstance(value, list) and (value or key == "only")
        if not templated(value) and not named:
            yield "{} takes a list".format(key)
        elif key in condition and isinstance(value, list):
            yield from _scalar_problems(value, mapping)
    if "set" in condition:
        yield from _scalar_problems([condition["set"]], mapping)
    for key in CONDITIONS_OF_LISTS:
        if key in condition and mapping == "sysctl":
            yield "a kernel parameter is no list: {!r} has no meaning here".format(key)


def _scalar_problems(values: List[Any], mapping: str) -> Iterator[str]:
    """Yield what would not stay one value on one line of a configuration file."""
    for value in values:
        if not isinstance(value, (str, int)):
            yield "{!r} is neither text nor a number".format(value)
        elif isinstance(value, bool) and mapping == "sysctl":
            yield "a kernel parameter takes a number or text, not true or false"
        elif isinstance(value, str) and not templated(value) and not value.isprintable():
            yield "{!r} must be on one line, without control characters".format(value)


def _value_problem(field: Field, value: Any) -> Optional[str]:
    if field.choices and value not in field.choices:
        return "must be one of {}".format(", ".join(field.choices))
    return CHECKS[field.type](value)

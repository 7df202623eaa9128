"""The parameters of every kind: the one declaration that baselines are validated against.

A kind takes either named fields (``file``) or a map of names to conditions (``sshd``, ``sysctl``).
Fields marked ``compiled`` are read by the controller only and become another field: ``template``
is rendered into ``content``.
"""

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .conditions import KEYS as CONDITION_KEYS

Problem = Tuple[Optional[str], str]


class Field(NamedTuple):
    """One named parameter of a kind; ``type`` names the check that its value must pass."""

    type: str
    doc: str
    required: bool = False
    compiled: bool = False
    choices: Tuple[str, ...] = ()


class Kind(NamedTuple):
    """One kind: either ``fields`` by name, or ``mapping``, the word for its open-ended keys."""

    doc: str
    example: Dict[str, Any]
    fields: Optional[Dict[str, Field]] = None
    mapping: str = ""


KINDS = {
    "package": Kind(
        doc="a Debian package that is installed, or that is not",
        fields={
            "name": Field("name", "package name", required=True),
            "state": Field(
                "string", "what is wanted", required=True, choices=("installed", "absent")
            ),
        },
        example={"name": "clamav-daemon", "state": "installed"},
    ),
    "file": Kind(
        doc="a file or directory: its content, mode and owner",
        fields={
            "path": Field("path", "absolute path", required=True),
            "type": Field("string", "what it is (file)", choices=("file", "directory")),
            "state": Field(
                "string",
                "present (default), absent, or optional: judged only where it exists",
                choices=("present", "absent", "optional"),
            ),
            "mode": Field("mode", "exact permission bits, octal in quotes"),
            "mode_at_most": Field("mode", "no permission beyond these bits, octal in quotes"),
            "owner": Field("name", "owner's name"),
            "group": Field("names", "group's name, or a list of accepted ones"),
            "content": Field("text", "the whole content"),
            "template": Field("template", "file in templates/ that gives it", compiled=True),
            "public": Field("boolean", "the content may be shown in diffs and evidence"),
            "reload": Field("units", "units to reload after a change"),
            "restart": Field("units", "units to restart after a change, where they run"),
        },
        example={"path": "/etc/shadow", "mode_at_most": "0640", "owner": "root"},
    ),
    "sysctl": Kind(
        doc="kernel parameters, as they run and as they are set at boot",
        mapping="sysctl",
        example={"net.ipv4.tcp_syncookies": 1},
    ),
    "unit": Kind(
        doc="a systemd unit: whether it starts at boot and whether it runs",
        fields={
            "name": Field("unit", "unit name with its suffix", required=True),
            "enabled": Field("boolean", "starts at boot"),
            "active": Field("boolean", "runs now"),
            "masked": Field("boolean", "cannot be started at all"),
        },
        example={"name": "rsync.service", "enabled": False, "active": False},
    ),
    "sshd": Kind(
        doc="effective options of the SSH server (sshd -T)",
        mapping="option",
        example={"PermitRootLogin": "no", "MaxAuthTries": {"at_most": 4}},
    ),
    "nft": Kind(
        doc="the nftables table that Lũy Tre owns: inet luytre",
        fields={
            "ruleset": Field("text", "the table in nft's language"),
            "template": Field("template", "file in templates/ that gives it", compiled=True),
        },
        example={"template": "nftables/luytre.nft.j2"},
    ),
}

# What a control's ``applies`` may ask; all of it must hold, otherwise it is not applicable.
APPLIES = {
    "package": Field("name", "only where this package is installed"),
    "os": Field("names", "only on these systems, as ID-VERSION_ID of os-release (debian-12)"),
    "container": Field("boolean", "only in containers (true) or only outside of them (false)"),
}

_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-@:")


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
        elif not _templated(value):
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
        if not _is_mapped_name(key):
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


def _is_mapped_name(key: Any) -> bool:
    known = isinstance(key, str) and bool(key) and set(key) <= _NAME | set("/*")
    return known and ".." not in key.split("/")


def _condition_problems(condition: Dict[str, Any], mapping: str) -> Iterator[str]:
    for key in ("at_most", "at_least"):
        value = condition.get(key, 0)
        if not _templated(value) and (isinstance(value, bool) or not isinstance(value, int)):
            yield "{} takes a whole number".format(key)
    for key in ("one_of", "without"):
        value = condition.get(key, ["-"])
        if not _templated(value) and (not isinstance(value, list) or not value):
            yield "{} takes a list".format(key)
        elif key in condition and isinstance(value, list):
            yield from _scalar_problems(value, mapping)
    if "set" in condition:
        yield from _scalar_problems([condition["set"]], mapping)
    if "without" in condition and mapping == "sysctl":
        yield "a kernel parameter is no list: 'without' has no meaning here"


def _scalar_problems(values: List[Any], mapping: str) -> Iterator[str]:
    """Yield what would not stay one value on one line of a configuration file."""
    for value in values:
        if not isinstance(value, (str, int)):
            yield "{!r} is neither text nor a number".format(value)
        elif isinstance(value, bool) and mapping == "sysctl":
            yield "a kernel parameter takes a number or text, not true or false"
        elif isinstance(value, str) and not _templated(value) and not value.isprintable():
            yield "{!r} must be on one line, without control characters".format(value)


def _templated(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _value_problem(field: Field, value: Any) -> Optional[str]:
    if field.choices and value not in field.choices:
        return "must be one of {}".format(", ".join(field.choices))
    return _CHECKS[field.type](value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and value[0] != "-" and set(value) <= _NAME


def _string(value: Any) -> Optional[str]:
    return None if isinstance(value, str) else "must be text"


def _boolean(value: Any) -> Optional[str]:
    return None if isinstance(value, bool) else "must be true or false"


def _name(value: Any) -> Optional[str]:
    return None if _is_name(value) else "must be a name"


def _names(value: Any) -> Optional[str]:
    if _is_name(value) or (isinstance(value, list) and value and all(map(_is_name, value))):
        return None
    return "must be a name or a list of names"


def _unit(value: Any) -> Optional[str]:
    if _is_name(value) and "." in value:
        return None
    return "must be a unit name with its suffix, such as ssh.service"


def _units(value: Any) -> Optional[str]:
    if isinstance(value, list) and value and not any(map(_unit, value)):
        return None
    return "must be a list of unit names with their suffix"


def _mode(value: Any) -> Optional[str]:
    if isinstance(value, str) and len(value) in (3, 4) and set(value) <= set("01234567"):
        return None
    return "must be permission bits in octal and in quotes, such as '0640'"


def _path(value: Any) -> Optional[str]:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value or "\n" in value:
        return "must be an absolute path"
    if any(part in ("", ".", "..") for part in value[1:].split("/")):
        return "must not hold empty parts, '.' or '..'"
    return None


def _template(value: Any) -> Optional[str]:
    relative = isinstance(value, str) and value and not value.startswith("/")
    if relative and ".." not in value.split("/"):
        return None
    return "must be a path below templates/"


_CHECKS = {
    "string": _string,
    "text": _string,
    "boolean": _boolean,
    "name": _name,
    "names": _names,
    "unit": _unit,
    "units": _units,
    "mode": _mode,
    "path": _path,
    "template": _template,
}

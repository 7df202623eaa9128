"""The JSON Schema of a chapter's YAML, for editors; made from the agent's declaration of kinds."""

from typing import Any

from orchestrator.agent import conditions, schema
from orchestrator.agent.schema.checks import MOUNT_FLAGS
from orchestrator.baseline.controls import (
    FIELDS,
    ID_PATTERN,
    REFERENCE_PATTERN,
    REQUIRED,
    SYSTEM_PATTERN,
)
from orchestrator.model.finding import Risk, Severity

Fragment = dict[str, Any]

_NAME: Fragment = {"type": "string", "pattern": "^[A-Za-z0-9_.+@:][A-Za-z0-9_.+@:-]*$"}
_PORT: Fragment = {"type": "integer", "minimum": 1, "maximum": 65535}
_UNIT: Fragment = {**_NAME, "pattern": "^[A-Za-z0-9_+@:-]*[.][A-Za-z0-9_.+@:-]*$"}
_TEMPLATED: Fragment = {"type": "string", "pattern": r"\{\{|\{%"}
_SCALAR: Fragment = {"type": ["string", "integer", "boolean"]}
_TYPES: dict[str, Fragment] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "number": {"type": "integer", "minimum": 0},
    "ports": {"type": "array", "items": _PORT},
    "rules": {"type": "array", "items": {"type": "string"}},
    "server": {"type": "string"},
    "servers": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "networks": {"type": "array", "items": {"type": "string"}},
    "services": {"type": "array", "items": {"type": "object", "properties": {"port": _PORT}}},
    "name": _NAME,
    "names": {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]},
    "unit": _UNIT,
    "units": {"type": "array", "items": _UNIT, "minItems": 1},
    "mode": {"type": "string", "pattern": "^[0-7]{3,4}$"},
    "path": {"type": "string", "pattern": "^/"},
    "template": {"type": "string", "pattern": "^[^/]"},
    "globs": {"type": "array", "items": {"type": "string", "pattern": "^/"}},
    "mount_flags": {"type": "array", "items": {"enum": [*MOUNT_FLAGS]}, "minItems": 1},
}


def control_schema() -> Fragment:
    """Return the JSON Schema (2020-12) of a file in ``controls/``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Controls of one chapter of a Lũy Tre baseline",
        "type": "array",
        "items": {"$ref": "#/$defs/control"},
        "$defs": {
            "control": _map(_control_fields(), REQUIRED),
            "text": _map({"en": {"type": "string"}, "vi": {"type": "string"}}, ("en", "vi")),
            "state": {"oneOf": [_one_kind(name) for name in schema.KINDS]},
            "condition": _condition(),
        },
    }


def _control_fields() -> Fragment:
    state = {"$ref": "#/$defs/state"}
    ways = {"anyOf": [state, {"type": "array", "items": state, "minItems": 1}]}
    any_of = _map({"any_of": {"type": "array", "items": ways, "minItems": 2}}, ("any_of",))
    items = {"type": "array", "items": {"type": "string"}}
    fields: Fragment = {
        "id": {"type": "string", "pattern": ID_PATTERN},
        "title": {"$ref": "#/$defs/text"},
        "why": {"$ref": "#/$defs/text"},
        "severity": {"enum": [severity.value for severity in Severity]},
        "risk": {"enum": [risk.value for risk in Risk]},
        "applies": _map({name: _field(field) for name, field in schema.APPLIES.items()}),
        "refs": {"type": "object", "patternProperties": {REFERENCE_PATTERN: items}},
        "desired": {"type": "array", "items": {"anyOf": [state, any_of]}, "minItems": 1},
    }
    fields["applies"]["properties"]["os"] = _systems()
    return {name: fields[name] for name in FIELDS}


def _systems() -> Fragment:
    system = {"type": "string", "pattern": SYSTEM_PATTERN}
    many = {"type": "array", "items": system, "minItems": 1}
    return {"anyOf": [system, many], "description": schema.APPLIES["os"].doc}


def _one_kind(name: str) -> Fragment:
    kind = schema.KINDS[name]
    if kind.mapping:
        values: Fragment = {"$ref": "#/$defs/condition"}
        want: Fragment = {"type": "object", "additionalProperties": values, "minProperties": 1}
    else:
        fields = kind.fields or {}
        required = tuple(key for key, field in fields.items() if field.required)
        want = _map({key: _templatable(field) for key, field in fields.items()}, required)
    want = {**want, "description": kind.doc, "examples": [kind.example]}
    return _map({name: want}, (name,))


def _templatable(field: schema.Field) -> Fragment:
    return {"anyOf": [_field(field), _TEMPLATED], "description": field.doc}


def _field(field: schema.Field) -> Fragment:
    kind: Fragment = {"enum": list(field.choices)} if field.choices else _TYPES[field.type]
    return {**kind, "description": field.doc}


def _condition() -> Fragment:
    bound: Fragment = {"anyOf": [{"type": "integer"}, _TEMPLATED]}
    several: Fragment = {"anyOf": [{"type": "array", "items": _SCALAR, "minItems": 1}, _TEMPLATED]}
    fields: Fragment = dict.fromkeys(conditions.BOUNDS, bound)
    any_number: Fragment = {"anyOf": [{"type": "array", "items": _SCALAR}, _TEMPLATED]}
    fields |= {"one_of": several, "without": several, "with": several, "only": any_number}
    fields["set"] = _SCALAR
    return {"anyOf": [_SCALAR, {**_map(fields), "minProperties": 1}]}


def _map(fields: Fragment, required: tuple[str, ...] = ()) -> Fragment:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }

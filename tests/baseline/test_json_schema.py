"""The JSON Schema that editors get agrees with what is declared."""

import re
from typing import Any

from orchestrator.agent import schema
from orchestrator.baseline.controls import FIELDS, REQUIRED
from orchestrator.baseline.json_schema import control_schema


def test_every_kind_and_parameter_is_offered() -> None:
    offered = {
        name: want
        for state in control_schema()["$defs"]["state"]["oneOf"]
        for name, want in state["properties"].items()
    }
    assert set(offered) == set(schema.KINDS)
    for name, kind in schema.KINDS.items():
        assert offered[name]["examples"] == [kind.example]
        if kind.fields:
            assert set(offered[name]["properties"]) == set(kind.fields)
            required = {key for key, field in kind.fields.items() if field.required}
            assert set(offered[name]["required"]) == required


def test_a_control_has_the_same_fields_as_the_reader_takes() -> None:
    found = control_schema()["$defs"]["control"]
    assert tuple(found["properties"]) == FIELDS
    assert tuple(found["required"]) == REQUIRED
    assert set(found["properties"]["applies"]["properties"]) == set(schema.APPLIES)


def test_its_patterns_accept_the_declared_examples() -> None:
    states = control_schema()["$defs"]["state"]["oneOf"]
    for name, kind in schema.KINDS.items():
        (want,) = [state["properties"][name] for state in states if name in state["properties"]]
        for key, value in kind.example.items() if kind.fields else []:
            ways = want["properties"][key]["anyOf"]
            assert any(_accepts(way, value) for way in ways), (name, key)


def test_its_references_lead_somewhere() -> None:
    found = control_schema()
    wanted = set(re.findall(r"#/\$defs/(\w+)", str(found)))
    assert wanted == set(found["$defs"])


def _accepts(way: dict[str, object], value: object) -> bool:
    if "enum" in way:
        return value in way["enum"]  # type: ignore[operator]
    if way.get("type") == "boolean":
        return isinstance(value, bool)
    if way.get("type") == "array":
        items: Any = way["items"]
        return isinstance(value, list) and all(_accepts(items, item) for item in value)
    return isinstance(value, str) and bool(re.search(str(way.get("pattern", "")), value))

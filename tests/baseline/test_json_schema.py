"""The JSON Schema that editors get agrees with what is declared."""

import re

import jsonschema
import pytest

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


@pytest.mark.parametrize("name", schema.KINDS)
def test_it_accepts_the_declared_example_and_nothing_beside_it(name: str) -> None:
    example = schema.KINDS[name].example
    found = control_schema()
    state = {"$defs": found["$defs"], "$ref": "#/$defs/state"}
    jsonschema.validate({name: example}, state)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({name: {**example, "no such thing!": {}}}, state)


def test_its_references_lead_somewhere() -> None:
    found = control_schema()
    wanted = set(re.findall(r"#/\$defs/(\w+)", str(found)))
    assert wanted == set(found["$defs"])

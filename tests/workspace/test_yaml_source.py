"""Strict YAML as the writer of a file meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.workspace.yaml_source import parse, read

TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def position_of_error(text: str) -> tuple[int, int]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "f.yml")
    assert caught.value.position is not None
    assert caught.value.position.path == "f.yml"
    return caught.value.position.line, caught.value.position.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("0640", "0640"),
        ("640", 640),
        ("-3", -3),
        ("10:30:60", "10:30:60"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", "1.5"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        ("", None),
        ("~", None),
        ("'null'", "null"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_a_value_stays_what_it_looks_like(text: str, value: Any) -> None:
    assert parse(f"key: {text}", "f.yml").data == {"key": value}


@given(DATA)
def test_what_json_says_is_read_as_json_reads_it(data: Any) -> None:
    assert parse(json.dumps({"top": data}, ensure_ascii=False), "f.yml").data == {"top": data}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1)),
        ("a:\n  - x: {y: 1,\n      y: 2}\n", (3, 7)),
        ("a: 1\n2: b\n", (2, 1)),
        ("a: 1\n? [b]\n: c\n", (2, 3)),
        ("a: &x [1]\nb: *x\n", (1, 4)),
        ("a: &x 1\nb: *x\n", (1, 4)),
        ("a: !!python/name:os.system\n", (1, 4)),
        ("a: !!int many\n", (1, 4)),
        ("a: !!set {b, c}\n", (1, 4)),
        ("a: b: c\n", (1, 5)),
        ("a: [1\nb: 2\n", (2, 2)),
        ("- a\n\tb: c\n", (2, 1)),
        ("a: 1\n---\nb: 2\n", (2, 1)),
        ("a: 1\nb: \x01\n", (2, 1)),
    ],
)
def test_what_is_not_strict_yaml_is_refused_at_its_place(text: str, place: tuple[int, int]) -> None:
    assert position_of_error(text) == place


def test_a_list_that_holds_itself_is_refused() -> None:
    assert position_of_error("&a [*a]")[0] == 1


def test_endless_nesting_is_refused() -> None:
    assert position_of_error("[" * 3_000 + "]" * 3_000)[0] == 1


def test_a_file_that_is_not_utf8_is_refused_at_the_broken_character(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes("a: 1\nb: Lũy ".encode() + b"\xff")
    with pytest.raises(ConfigurationError) as caught:
        read(file)
    assert caught.value.position == Position(str(file), 2, 8)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file") as caught:
        read(tmp_path / "none.yml")
    assert caught.value.position == Position(str(tmp_path / "none.yml"))


def test_values_and_keys_are_found_where_they_stand() -> None:
    document = parse("# top\nũ: {b: [1, 22]}\nlast:\n  - x: y\n", "f.yml")
    assert document.locate() == Position("f.yml", 2, 1)
    assert document.locate(("ũ", "b", 1)) == Position("f.yml", 2, 12)
    assert document.locate(("ũ", "b"), key=True) == Position("f.yml", 2, 5)
    assert document.locate(("last", 0, "x")) == Position("f.yml", 4, 8)


def test_a_missing_value_is_placed_where_it_should_have_been() -> None:
    document = parse("a:\n  b: 1\n", "f.yml")
    assert document.locate(("a", "missing", "deep")) == Position("f.yml", 2, 3)
    assert parse("", "f.yml").locate(("a",)) == Position("f.yml", 1, 1)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=8), st.data())
def test_every_item_is_found_on_its_own_line(numbers: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(numbers) - 1))
    indent = data.draw(st.integers(0, 6))
    text = "top:\n" + "".join(f"{' ' * indent}- {number}\n" for number in numbers)
    assert parse(text, "f").locate(("top", index)) == Position("f", index + 2, indent + 3)

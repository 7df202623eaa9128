"""The answer as the controller reads it."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(PLAIN)
def test_the_reader_gets_what_was_written(value):
    assert json.loads(wire.dumps(value)) == value


def test_sets_and_views_are_told_as_lists():
    told = {"names": {"a"}, "keys": {"k": 1}.keys(), "pair": (1, 2.5, None, True)}
    assert json.loads(wire.dumps(told)) == {
        "names": ["a"],
        "keys": ["k"],
        "pair": [1, 2.5, None, 1],
    }


@given(PLAIN, st.sampled_from(["", " ", "\n\t"]))
def test_what_programs_say_is_read_as_the_json_module_reads_it(value, blank):
    text = blank + json.dumps(value, indent=1) + blank
    assert wire.loads(text) == value


@given(st.text('{}[]",:0123456789.eE+-truefalsn \\u', max_size=12))
def test_what_is_no_json_is_refused_as_the_json_module_refuses_it(text):
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            wire.loads(text)
    else:
        assert wire.loads(text) == expected


@pytest.mark.parametrize("text", ['{"a" 1}', '"abc', '["\\x01"]', "[1", ""])
def test_what_is_no_json_is_refused_where_nobody_imported_json(text):
    """The scanner finds the class of its errors only once the json module is there."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import wire\ntry: wire.loads(sys.argv[2])"
    )
    script += "\nexcept ValueError: print('refused')"
    place = str(Path(wire.__file__).parent)
    argv = [sys.executable, "-I", "-S", "-c", script, place, text]
    assert subprocess.run(argv, capture_output=True, check=True).stdout == b"refused\n"


@given(PLAIN)
def test_everything_is_ascii_on_one_line(value):
    text = wire.dumps(value)
    assert text.isascii()
    assert "\n" not in text


def test_a_tuple_is_a_list():
    assert json.loads(wire.dumps({"a": (1, "b")})) == {"a": [1, "b"]}


@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9.conf", b"a\xf0\x9f"])
def test_a_file_name_that_is_no_text_can_be_written_by_every_reader(name):
    told = json.loads(wire.dumps([os.fsdecode(name), {os.fsdecode(name): 1}]))
    assert json.loads(json.dumps(told, ensure_ascii=False).encode()) == told
    assert "\\udc" in told[0]


def test_an_answer_larger_than_a_pipe_arrives_whole():
    document = {"text": os.urandom(1 << 20).hex()}
    script = (
        "import sys, json; sys.path.insert(0, sys.argv[1]);"
        "from orchestrator.agent import wire; wire.answer(b'marker', json.load(sys.stdin))"
    )
    root = Path(wire.__file__).parents[2]
    argv = [sys.executable, "-c", script, str(root)]
    said = subprocess.run(
        argv, input=json.dumps(document).encode(), capture_output=True, check=True
    )
    head, _, rest = said.stdout.partition(b"\nmarker\n")
    size, _, data = rest.partition(b"\n")
    assert (head, int(size)) == (b"", len(data))
    assert json.loads(zlib.decompress(data)) == document

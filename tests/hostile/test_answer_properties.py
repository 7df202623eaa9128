"""Whatever comes over the wire is an answer within bounds, or an AgentError of that host."""

import json
import math
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.readers import HOST, MARKER
from orchestrator.agent import wire
from orchestrator.fleet import answer
from orchestrator.fleet.answer import MAX_DOCUMENT, MAX_VALUES
from orchestrator.fleet.ssh import Exchange
from orchestrator.model.errors import AgentError, HostError

from .bent import ANYTHING, unhurried

HEAD = b"\n" + MARKER + b"\n"


def framed(data, size=None):
    return HEAD + str(len(data) if size is None else size).encode() + b"\n" + data


def read(stdout):
    return answer.document(HOST, answer.frame(HOST, MARKER, Exchange(0, stdout, b"")))


def refusal(stdout):
    with pytest.raises(AgentError) as refused:
        read(stdout)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 500
    return refused.value.message


@unhurried
@given(st.binary())
def test_fault_26_any_bytes_are_no_answer(data):
    # A brace and perhaps blanks would make a document of it.
    assume(data.strip() != b"}")
    refusal(data)
    refusal(framed(data))
    refusal(framed(zlib.compress(b"{" + data)))


@unhurried
@given(ANYTHING)
def test_what_an_agent_writes_is_read_as_it_was_meant(value):
    try:
        text = wire.dumps(value)
    except ValueError:
        # A number without end: no agent of ours says one, and nothing else is refused.
        with pytest.raises(ValueError, match="not JSON compliant"):
            json.dumps(value, allow_nan=False)
        return
    cleaned = json.loads(text)
    assert read(framed(zlib.compress(text.encode()))) == cleaned


@unhurried
@given(ANYTHING)
def test_fault_26_an_answer_can_always_be_written_and_its_numbers_are_finite(value):
    try:
        told = read(framed(zlib.compress(json.dumps(value).encode())))
    except HostError:
        return
    assert json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "size", ["", "-1", "+2", "1_0", "1e3", " 2", "9" * 5000, "99999999", "\u0662"]
)
def test_fault_26_a_size_that_is_none_or_too_large_is_told(size):
    assert refusal(HEAD + size.encode() + b"\n{}") == "the answer is cut off"


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_fault_26_a_frame_that_is_cut_off_is_told(cut):
    whole = framed(zlib.compress(b'{"format": 1, "result": {}}'))
    assert refusal(whole[:-cut]) == "the answer is cut off"
    data = zlib.compress(b'{"format": 1}')
    assert "one whole zlib stream" in refusal(framed(data[:-cut]))
    assert "one whole zlib stream" in refusal(framed(data + b"more"))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": "\xff"}',
        b'"\\ud800"',
        b'{"\\uDFFF": 1}',
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b"9" * 5000,
        b"[" * 100_000,
        '"\u00e9"'.encode("utf-16"),
    ],
)
def test_fault_26_what_json_allows_and_nobody_can_keep_is_garbage(text):
    assert refusal(framed(zlib.compress(text))).startswith("the answer is garbage")


def test_fault_20_a_small_answer_that_unpacks_to_much_is_not_unpacked():
    bomb = zlib.compress(b" " * (MAX_DOCUMENT + 1), 9)
    assert len(bomb) < 100_000
    assert "unpacks to more than" in refusal(framed(bomb))
    assert f"more than {MAX_VALUES} values" in refusal(
        framed(zlib.compress(b"0," * MAX_VALUES + b","))
    )


def test_an_answer_as_large_as_allowed_is_read():
    text = json.dumps(["x" * (MAX_DOCUMENT - 4)])
    assert len(text) == MAX_DOCUMENT
    assert read(framed(zlib.compress(text.encode())))[0][-1] == "x"


def test_a_character_outside_of_the_first_plane_is_no_half_one():
    (told,) = read(framed(zlib.compress(b'["\\ud83d\\ude00 \\\\ud800"]')))
    assert told == "\U0001f600 \\ud800"


def test_fault_24_an_answer_that_repeats_the_password_is_refused():
    password = 'S3ntinel "é"\\'
    for ascii_only in (True, False):
        text = json.dumps({"x": f"sudo: {password}!"}, ensure_ascii=ascii_only)
        raw = zlib.compress(text.encode())
        with pytest.raises(AgentError, match="repeats the password") as refused:
            answer.document(HOST, raw, password)
        assert "S3ntinel" not in str(refused.value)
    assert answer.document(HOST, raw, "another password")


def test_times_are_numbers():
    (told,) = read(framed(zlib.compress(b"[1764000000.25]")))
    assert math.isclose(told, 1764000000.25)

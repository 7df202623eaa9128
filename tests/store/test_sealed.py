"""What was sealed comes back to the byte, or not at all."""

import io
import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.errors import ConfigurationError, ControllerError, LuytreError
from orchestrator.store.sealed import CHUNK, SealedReader, SealedWriter

CHEAP = 14
PASSPHRASE = "lũy tre làng ta"


def sealed(data: bytes, passphrase: str = PASSPHRASE, pieces: int = 1) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, passphrase, CHEAP)
    size = len(data) // pieces + 1
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
    writer.close()
    return file.getvalue()


def opened(packed: bytes, passphrase: str = PASSPHRASE) -> bytes:
    reader = SealedReader(io.BytesIO(packed), passphrase)
    parts = iter(lambda: reader.read(10_000), b"")
    return b"".join(parts)


def patterned(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pieces", [1, 5])
def test_it_comes_back_to_the_byte(size, pieces):
    assert opened(sealed(patterned(size), pieces=pieces)) == patterned(size)


def test_nothing_of_it_can_be_read_without_the_passphrase():
    packed = sealed(b"the digest key" * 100)
    assert b"digest key" not in packed
    assert sealed(b"") != sealed(b"")


@pytest.mark.parametrize("wrong", ["", "luy tre lang ta", PASSPHRASE + " "])
def test_another_passphrase_is_told_to_be_one(wrong):
    with pytest.raises(ConfigurationError, match="passphrase"):
        opened(sealed(b"x"), wrong)


def test_the_same_word_composed_in_another_way_opens_it():
    other = unicodedata.normalize("NFD", PASSPHRASE)
    assert other != PASSPHRASE
    assert opened(sealed(b"x"), other) == b"x"


@pytest.fixture(scope="module")
def three_chunks() -> bytes:
    return sealed(patterned(2 * CHUNK + 100))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_bit_can_be_altered(three_chunks, data):
    place = data.draw(st.integers(0, len(three_chunks) - 1) | st.integers(0, 250))
    bit = 1 << data.draw(st.integers(0, 7))
    packed = bytearray(three_chunks)
    packed[place] ^= bit
    with pytest.raises(LuytreError):
        opened(bytes(packed))


def header_size(packed: bytes) -> int:
    return len(b"".join(packed.splitlines(keepends=True)[:3]))


def chunks(packed: bytes) -> tuple[bytes, list[bytes]]:
    start, size = header_size(packed), CHUNK + 16
    return packed[:start], [packed[n : n + size] for n in range(start, len(packed), size)]


@pytest.mark.parametrize("order", [[0, 2], [0, 1], [0], [], [1, 0, 2], [0, 1, 1, 2], [0, 1, 2, 2]])
def test_chunks_can_be_neither_cut_off_nor_moved_nor_repeated(three_chunks, order):
    head, parts = chunks(three_chunks)
    assert len(parts) == 3
    assert opened(head + b"".join(parts)) == patterned(2 * CHUNK + 100)
    with pytest.raises(ControllerError, match="damaged, or not whole"):
        opened(head + b"".join(parts[n] for n in order))


@pytest.mark.parametrize("more", [b"x", b"\0" * 16, b"\n"])
def test_nothing_can_be_added(three_chunks, more):
    with pytest.raises(ControllerError):
        opened(three_chunks + more)


def test_chunks_of_another_file_under_the_same_passphrase_do_not_fit(three_chunks):
    head, _parts = chunks(three_chunks)
    _head, others = chunks(sealed(patterned(2 * CHUNK + 100)))
    with pytest.raises(ControllerError):
        opened(head + b"".join(others))


def test_what_is_not_sealed_is_told_so():
    for packed in (b"", b"PK\x03\x04", b"luytre", b"\n\n\n"):
        with pytest.raises(ConfigurationError, match="is not a sealed file"):
            opened(packed)


def test_a_newer_version_is_told_to_be_one(three_chunks):
    newer = three_chunks.replace(b"luytre-sealed 1\n", b"luytre-sealed 2\n", 1)
    with pytest.raises(ConfigurationError, match="newer version"):
        opened(newer)


@pytest.mark.parametrize(
    "change", [{"log2_n": 60}, {"log2_n": 1}, {"salt": ""}, {"chunk": 1}, {"kdf": "none"}, {"r": 1}]
)
def test_a_header_cannot_ask_for_less_safety_or_endless_work(three_chunks, change):
    first, second, rest = three_chunks.split(b"\n", 2)
    told = {**json.loads(second), **change}
    altered = json.dumps(told, sort_keys=True).encode()
    with pytest.raises(ControllerError, match="damaged"):
        opened(b"\n".join((first, altered, rest)))

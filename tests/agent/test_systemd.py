"""systemd's language on the bus, against bytes recorded from systemctl and from systemd."""

import json
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import systemd
from orchestrator.agent.host import Unreadable

from .recorded_text import recorded

RECORDED = json.loads(recorded("dbus.json"))
UNITS = ["ssh.service", "none-such.service", "getty@tty1.service"]
DESTINATION, SENDER = 6, 7


def parts(message):
    """Return (kind, serial, fields, body) of one message of ours or of systemctl's."""
    size, serial, length = struct.unpack("<III", message[4:16])
    fields = systemd._fields("<", message[16 : 16 + length])
    body = message[16 + length + (-length % 8) :]
    assert len(body) == size
    return message[1], serial, fields, body


def test_a_question_is_the_one_that_systemctl_asks():
    kind, serial, fields, body = parts(bytes.fromhex(RECORDED["systemctl_asks"]))
    assert fields.pop(DESTINATION) == "org.freedesktop.systemd1"
    ours = systemd._call(
        1,
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
        "GetUnitFileState",
        "s",
        ("ssh.service",),
    )
    assert parts(ours) == (kind, serial, fields, body)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4), st.integers(1, 99))
def test_every_question_is_well_formed(values, serial):
    message = systemd._call(serial, "/a", "b.c", "D", "s" * len(values), tuple(values))
    kind, told, fields, body = parts(message)
    assert (kind, told) == (1, serial)
    assert fields == {1: "/a", 2: "b.c", 3: "D", 8: "s" * len(values)}
    read, at = [], 0
    for _ in values:
        at += -at % 4
        (size,) = struct.unpack_from("<I", body, at)
        read.append(body[at + 4 : at + 4 + size].decode())
        at += 4 + size + 1
    assert read == values
    assert at == len(body)


@pytest.fixture
def answering():
    """Return a function from bytes to a reader that receives them, in small pieces."""
    ends = []

    def reader(data):
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return systemd._Reader(ours)

    yield reader
    for end in ends:
        end.close()


def answers(reader):
    """Return the answers by number; systemd tells of other things in between."""
    found = {}
    while len(found) < 3 * len(UNITS):
        serial, text = reader.reply()
        if serial:
            found[serial] = text
    return found


def test_recorded_answers_are_read(answering):
    reader = answering(bytes.fromhex(RECORDED["systemd_answers"]))
    assert reader.line().startswith(b"OK ")
    replies = answers(reader)
    for index, unit in enumerate(UNITS):
        load, enabled, active = RECORDED["states"][unit]
        assert replies[3 * index + 1] == load
        assert replies[3 * index + 2] == active
        assert (replies[3 * index + 3] or "") == enabled


def test_an_answer_that_is_cut_off_is_unreadable(answering):
    data = bytes.fromhex(RECORDED["systemd_answers"])
    reader = answering(data[: len(data) - 3])
    assert reader.line().startswith(b"OK ")
    with pytest.raises(Unreadable, match="closed"):
        answers(reader)


def error(serial, name):
    """Return an error message as the bus has it, big-endian, which is allowed."""
    text = name.encode()
    fields = bytes((5, 1)) + b"u\0" + struct.pack(">I", serial)
    fields += bytes((4, 1)) + b"s\0" + struct.pack(">I", len(text)) + text + b"\0"
    head = b"B" + bytes((3, 0, 1)) + struct.pack(">III", 0, 9, len(fields))
    return head + fields + b"\0" * (-len(fields) % 8)


@pytest.mark.parametrize(
    "name", ["org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.DBus.Error.FileNotFound"]
)
def test_an_error_that_says_there_is_none_is_none(answering, name):
    assert answering(error(7, name)).reply() == (7, None)


def test_any_other_error_is_unreadable(answering):
    with pytest.raises(Unreadable, match="AccessDenied"):
        answering(error(7, "org.freedesktop.DBus.Error.AccessDenied")).reply()


def test_an_answer_of_absurd_size_is_not_waited_for(answering):
    with pytest.raises(Unreadable, match="too large"):
        answering(b"l" + bytes((2, 0, 1)) + struct.pack("<III", 1 << 30, 1, 0)).reply()


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("ssh.service", "ssh_2eservice"),
        ("getty@tty1.service", "getty_40tty1_2eservice"),
        ("dev-disk-by\\x2duuid.swap", "dev_2ddisk_2dby_5cx2duuid_2eswap"),
        ("0.service", "_30_2eservice"),
    ],
)
def test_a_units_name_in_its_object_path(name, escaped):
    assert systemd._escaped(name) == escaped

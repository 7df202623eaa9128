"""What systemd says of its units, asked over its own D-Bus socket.

``systemctl show`` costs 13 ms of start-up; the same question on the socket costs less than one.
Only what is needed of the protocol is here: method calls with string arguments, replies that are a
string or a variant holding one (D-Bus specification, "Message Protocol").
"""

import struct

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

_SOCKET = "/run/systemd/private"
_MANAGER = "org.freedesktop.systemd1.Manager"
_UNIT = "org.freedesktop.systemd1.Unit"
_PATH, _INTERFACE, _MEMBER, _ERROR, _REPLY, _SIGNATURE = 1, 2, 3, 4, 5, 8
_METHOD_RETURN, _METHOD_ERROR = 2, 3
# InvalidArgs: no unit can have the name, or it is a template's, which is never loaded itself.
_MISSING = ("NoSuchUnit", "FileNotFound", "NoSuchFile", "InvalidArgs")
_REPLY_LIMIT = 1 << 20
# It answers nothing while it reloads its units, which a worn-out server takes long for. A way back
# that gave up meanwhile would leave the host broken.
_SECONDS = 60.0


class UnitState:
    """How a unit stands: ``load`` (loaded, not-found, masked …), ``enabled``, ``active``.

    ``real`` is the unit's own name where it was asked for by an alias, otherwise empty.
    """

    __slots__ = ("active", "enabled", "load", "real")

    def __init__(self, load: str, enabled: str, active: str, real: str = "") -> None:
        self.load = load
        self.enabled = enabled
        self.active = active
        self.real = real


def unit_states(host: Host, names: "List[str]") -> "Dict[str, UnitState]":
    """Return the state of each named unit; raises Unreadable where systemd does not answer.

    Of an alias, that is the state of the unit itself.
    """
    states = _states(names)
    aliases = [name for name in names if states[name].enabled == "alias"]
    if aliases:
        calls = [_property(n, _place(alias), "Id") for n, alias in enumerate(aliases, 1)]
        replies = _converse(calls)
        # A template is never loaded: of its alias, nobody tells what it stands for.
        real = {alias: replies[n] or alias for n, alias in enumerate(aliases, 1)}
        told = _states(sorted(set(real.values())))
        for alias, name in real.items():
            if name != alias:
                found = told[name]
                states[alias] = UnitState(found.load, found.enabled, found.active, name)
    return states


def _states(names: "List[str]") -> "Dict[str, UnitState]":
    calls: "List[bytes]" = []
    for name in names:
        path = _place(name)
        serial = len(calls) + 1
        calls.append(_property(serial, path, "LoadState"))
        calls.append(_property(serial + 1, path, "ActiveState"))
        calls.append(
            _call(
                serial + 2, "/org/freedesktop/systemd1", _MANAGER, "GetUnitFileState", "s", (name,)
            )
        )
    replies = _converse(calls)
    states = {}
    for index, name in enumerate(names):
        load, active, enabled = (replies[index * 3 + offset] for offset in (1, 2, 3))
        load = load or ("loaded" if enabled else "not-found")
        states[name] = UnitState(load, enabled or "", active or "inactive")
    return states


def _place(name: str) -> str:
    return "/org/freedesktop/systemd1/unit/" + _escaped(name)


def _property(serial: int, path: str, name: str) -> bytes:
    return _call(serial, path, "org.freedesktop.DBus.Properties", "Get", "ss", (_UNIT, name))


def _converse(calls: "List[bytes]") -> "Dict[int, Optional[str]]":
    """Send every call at once and return the answers by serial; None: there is no such unit."""
    from _socket import AF_UNIX, SOCK_STREAM, socket  # the socket module costs 5 ms more

    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(_SECONDS)
        connection.connect(_SOCKET)
        connection.send(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
        reader = _Reader(connection)
        if not reader.line().startswith(b"OK"):
            raise Unreadable("systemd refuses the question")
        pending = b"".join(calls)
        while pending:
            pending = pending[connection.send(pending) :]
        replies: "Dict[int, Optional[str]]" = {}
        while len(replies) < len(calls):
            serial, text = reader.reply()
            if serial:
                replies[serial] = text
        return replies
    except OSError as problem:
        raise Unreadable(
            "systemd does not answer: {}".format(problem.strerror or problem)
        ) from None
    finally:
        connection.close()


class _Reader:
    """Takes messages off the socket one after the other."""

    def __init__(self, connection: "object") -> None:
        self._recv = connection.recv  # type: ignore[attr-defined]
        self._data = b""

    def line(self) -> bytes:
        while b"\r\n" not in self._data:
            self._more()
        line, self._data = self._data.split(b"\r\n", 1)
        return line

    def reply(self) -> "Tuple[int, Optional[str]]":
        """Return (serial answered, text); serial 0 for messages that answer nothing."""
        head = self._take(16)
        order = "<" if head[:1] == b"l" else ">"
        kind = head[1]
        body_size, _serial, fields_size = struct.unpack(order + "III", head[4:16])
        if body_size + fields_size > _REPLY_LIMIT:
            raise Unreadable("systemd's answer is too large")
        fields = self._take(fields_size + (-fields_size % 8))[:fields_size]
        body = self._take(body_size)
        known = _fields(order, fields)
        serial = known.get(_REPLY, 0)
        if kind == _METHOD_ERROR:
            error = str(known.get(_ERROR, ""))
            if error.rsplit(".", 1)[-1] in _MISSING:
                return serial, None
            raise Unreadable("systemd: {}".format(error))
        if kind != _METHOD_RETURN:
            return 0, None
        return serial, _text(order, str(known.get(_SIGNATURE, "")), body)

    def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def _more(self) -> None:
        data = self._recv(65536)
        if not data:
            raise Unreadable("systemd closed the connection")
        self._data += data


def _fields(order: str, data: bytes) -> "Dict[int, Any]":
    """Return the header fields that are strings or numbers, by their code."""
    found: "Dict[int, Any]" = {}
    at = 0
    while at < len(data):
        at += -at % 8
        code, signature = data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 3 + data[at + 1]
        if signature == b"g":
            found[code] = data[at + 1 : at + 1 + data[at]].decode()
            at += 2 + data[at]
            continue
        at += -at % 4
        (number,) = struct.unpack_from(order + "I", data, at)
        at += 4
        if signature == b"u":
            found[code] = number
        else:
            found[code] = data[at : at + number].decode("utf-8", "replace")
            at += number + 1
    return found


def _text(order: str, signature: str, body: bytes) -> str:
    at = 0
    if signature == "v":
        at = 2 + body[0]
        at += -at % 4
    elif signature != "s":
        return ""
    (size,) = struct.unpack_from(order + "I", body, at)
    return body[at + 4 : at + 4 + size].decode("utf-8", "replace")


def _call(
    serial: int, path: str, interface: str, member: str, signature: str, values: "Tuple[str, ...]"
) -> bytes:
    body = b""
    for value in values:
        body = _padded(body, 4) + _string(value)
    fields = b""
    for code, type_, text in (
        (_PATH, b"o", path),
        (_INTERFACE, b"s", interface),
        (_MEMBER, b"s", member),
    ):
        fields = _padded(fields, 8) + bytes((code, 1)) + type_ + b"\0" + _string(text)
    fields = _padded(fields, 8) + bytes((_SIGNATURE, 1)) + b"g\0"
    fields += bytes((len(signature),)) + signature.encode() + b"\0"
    head = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), serial, len(fields))
    return _padded(head + fields, 8) + body


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def _padded(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)


def _escaped(name: str) -> str:
    """Return a unit name as a part of its object path (systemd's bus_label_escape)."""
    return "".join(
        c if c.isalnum() and ord(c) < 128 and (index or not c.isdigit()) else "_%02x" % ord(c)
        for index, c in enumerate(name)
    )

"""TCP sockets that listen, asked of the kernel itself (sock_diag(7)).

/proc/net/tcp costs 3 ms to read, and tcp6 as much: the kernel goes through the table of all
connections that the machine could have.
"""

import errno
import os
import struct

from .host import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Tuple

    Listening = Tuple[bytes, int, str]

# netlink(7), sock_diag(7) and the kernel's linux/netlink.h, linux/sock_diag.h, net/tcp_states.h.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_INTERRUPTED = 0x10
_ERROR, _DONE = 2, 3
_TCP, _LISTEN = 6, 1 << 10
_HEAD = struct.Struct("=IHHII")
_NUMBER = struct.Struct("=i")
_ASKED = struct.Struct("=BBBBI48x")
# linux/inet_diag.h, struct inet_diag_msg: port and address of our side, the socket's inode.
_PORT, _ADDRESS, _INODE = struct.Struct(">4xH"), slice(8, 24), struct.Struct("=68xI")
# A kernel without it, one that loads no modules any more, a container that may not ask.
_MISSING = (
    *(errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP),
    *(errno.EPERM, errno.EACCES),
)
# The sockets changed while they were told.
_CHANGED = errno.EAGAIN
_MODULE = "tcp_diag"
_SECONDS = 5.0


def listening() -> "Optional[List[Listening]]":
    """Return address (network order, 4 or 16 bytes), port and inode of what listens over TCP.

    None where this kernel does not tell without loading a module for it, or the sockets changed
    under it. Raises Unreadable.
    """
    if _would_load_a_module():
        return None
    from _socket import AF_INET, AF_INET6, AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, socket

    found: "List[Listening]" = []
    try:
        connection = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
        try:
            connection.settimeout(_SECONDS)
            for family, size in ((AF_INET, 4), (AF_INET6, 16)):
                body = _ASKED.pack(family, _TCP, 0, 0, _LISTEN)
                size_of_all = _HEAD.size + len(body)
                head = _HEAD.pack(size_of_all, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
                connection.send(head + body)
                for told in _answers(connection):
                    address = told[_ADDRESS][:size]
                    port, inode = _PORT.unpack_from(told)[0], _INODE.unpack_from(told)[0]
                    found.append((address, port, str(inode)))
        finally:
            connection.close()
    except OSError as problem:
        if problem.errno in (*_MISSING, _CHANGED):
            return None
        raise Unreadable("sock_diag: {}".format(problem.strerror or problem)) from None
    return found


def _answers(connection: "object") -> "Iterator[bytes]":
    """Yield the messages of one answer; raises OSError with what the kernel refuses."""
    while True:
        data = connection.recv(65536)  # type: ignore[attr-defined]
        at = 0
        while at < len(data):
            size, kind, flags, _number, _port = _HEAD.unpack_from(data, at)
            body = data[at + _HEAD.size : at + size]
            if flags & _INTERRUPTED:
                raise OSError(_CHANGED, os.strerror(_CHANGED))
            if kind in (_DONE, _ERROR):
                # Both carry a number: a dump that fails once it has begun ends with it in DONE.
                _refuse_failure(body)
                return
            yield body
            at += (size + 3) & ~3


def _refuse_failure(body: bytes) -> None:
    """Raise OSError where the end of an answer tells one."""
    number = -_NUMBER.unpack_from(body)[0] if len(body) >= _NUMBER.size else errno.EBADMSG
    if number:
        raise OSError(number, os.strerror(number))


def _would_load_a_module() -> bool:
    """Say whether the kernel would load a module to answer: an audit changes nothing."""
    if os.path.exists("/sys/module/" + _MODULE):
        return False
    try:
        with open("/lib/modules/{}/modules.builtin".format(os.uname().release), "rb") as file:
            return "/{}.ko".format(_MODULE).encode() not in file.read()
    except OSError:
        return False  # no modules are there to be loaded

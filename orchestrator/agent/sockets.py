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
_ASKED = struct.Struct("=BBBBI48x")
# linux/inet_diag.h, struct inet_diag_msg: port and address of our side, the socket's inode.
_PORT, _ADDRESS, _INODE = struct.Struct(">4xH"), slice(8, 24), struct.Struct("=68xI")
# A kernel without it, or one that loads no modules any more.
_MISSING = (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP)
_SECONDS = 5.0


def listening() -> "Optional[List[Listening]]":
    """Return address (network order, 4 or 16 bytes), port and inode of what listens over TCP.

    None where this kernel does not tell, or the sockets changed under it. Raises Unreadable.
    """
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
        if problem.errno in _MISSING:
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
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            if kind == _DONE:
                return
            if kind == _ERROR:
                (number,) = struct.unpack_from("=i", body)
                raise OSError(-number, os.strerror(-number))
            yield body
            at += (size + 3) & ~3

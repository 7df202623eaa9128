"""Connections of others to this host, and whence this very login came."""

import os
import struct

from ..host import Host, Unreadable
from ..kinds import listeners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from typing import List, Optional, Set, Tuple, Union

    Address = Union[IPv4Address, IPv6Address]

# proc(5), /proc/net/tcp: the state of a connection that stands.
_ESTABLISHED = "01"
# sshd(8): the variable in which a login finds its peer.
_LOGIN = b"SSH_CONNECTION="


class Session:
    """A TCP connection that somebody else opened to a port of this host."""

    __slots__ = ("peer", "port")

    def __init__(self, peer: "Address", port: int) -> None:
        self.peer = peer
        self.port = port


def sessions(listening: "Set[int]", host: Host) -> "List[Session]":
    """Return the connections from elsewhere to the TCP ports on which this host listens."""
    found = [one for text in listeners.tables("tcp", host) for one in parse(text)]
    return [one for one in found if one.port in listening]


def parse(text: str) -> "List[Session]":
    """Return the connections of one of /proc/net's tables; those of the host with itself left out.

    Raises Unreadable for what is no such table.
    """
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _ESTABLISHED:
            continue
        try:
            own, port = _end(fields[1])
            peer, _port = _end(fields[2])
        except (ValueError, struct.error):
            raise Unreadable("/proc/net/tcp: cannot be understood") from None
        if peer != own and not peer.is_loopback:
            found.append(Session(peer, port))
    return found


def _login(told: str) -> Session:
    """Return the connection that sshd tells: peer, its port, our address, our port."""
    import ipaddress

    words = told.split()
    try:
        address = ipaddress.ip_address(words[0].partition("%")[0])
        return Session(unmapped(address), int(words[3]))
    except (IndexError, ValueError):
        raise Unreadable("sshd does not tell whence this login came") from None


def unmapped(address: "Address") -> "Address":
    """Return the IPv4 address that an IPv6 one stands for, otherwise the address itself."""
    return getattr(address, "ipv4_mapped", None) or address


def _end(written: str) -> "Tuple[Address, int]":
    """Return (address, port) of one end: words of 32 bits in the machine's own order."""
    import ipaddress

    words, _, port = written.partition(":")
    numbers = [int(words[at : at + 8], 16) for at in range(0, len(words), 8)]
    address = ipaddress.ip_address(struct.pack("={}I".format(len(numbers)), *numbers))
    return unmapped(address), int(port, 16)


def own_login() -> "Optional[Session]":
    """Return the connection over which this login came; None where it came over no SSH.

    sudo takes the variable away: the processes before it still have it.
    """
    process = os.getpid()
    while process > 1:
        try:
            with open("/proc/{}/environ".format(process), "rb") as stream:
                variables = stream.read().split(b"\0")
            with open("/proc/{}/stat".format(process)) as stream:
                # proc(5): the name in parentheses may hold blanks; after it, state and parent.
                process = int(stream.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            return None  # it has ended meanwhile: nobody is left to ask
        for variable in variables:
            if variable.startswith(_LOGIN):
                return _login(variable[len(_LOGIN) :].decode("ascii", "replace"))
    return None

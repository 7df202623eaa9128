"""``listeners``: what accepts connections from elsewhere, against what the host is to offer.

UDP ports of the range that clients get theirs from count as clients: nothing tells the two apart.
"""

import os

from .. import sockets
from ..host import Host, Unreadable
from . import ByHand, Judgement, Proposal, Target, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Set, Tuple

PHASE = "services"

# proc(5), /proc/net/tcp: the state of a socket that listens; one of UDP that nobody is bound to.
_HEXADECIMAL = set("0123456789ABCDEFabcdef")
_PORT_DIGITS = 4
_STATES = {"tcp": "0A", "udp": "07"}
# IPv6: an IPv4 address within it, and the host itself.
_MAPPED = b"\0" * 10 + b"\xff\xff"
_OWN = b"\0" * 15 + b"\x01"
_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


class Listener:
    """One port that others can reach."""

    __slots__ = ("inode", "port", "program", "protocol")

    def __init__(self, protocol: str, port: int, inode: str) -> None:
        self.protocol = protocol
        self.port = port
        self.inode = inode
        self.program = ""

    def __str__(self) -> str:
        return "{}/{} ({})".format(self.protocol, self.port, self.program or "unknown program")


def observe(want: "Dict[str, Any]", host: Host) -> "List[Listener]":
    """Return what listens although nobody declared it, with its program."""
    found = heard_by_others(host)
    declared = _declared(want)
    unknown = [one for one in found if (one.protocol, one.port) not in declared]
    if "only" in want:
        unknown = [one for one in unknown if one.protocol == "tcp" and one.port in want["only"]]
    if unknown:
        programs = owners(host)
        for one in unknown:
            one.program = programs.get(one.inode, "")
    return unknown


def heard_by_others(host: Host) -> "List[Listener]":
    """Return every port that others can reach, without its program."""
    return host.once("listeners", lambda: _read(host))  # type: ignore[no-any-return]


def kernel_ports(host: Host) -> "List[Listener]":
    """Return the UDP ports that the kernel itself listens on (WireGuard), whatever their number.

    No process owns them: their sockets have no inode.
    """
    return [one for one in _table(host, "udp") if one.inode == "0"]


def tables(protocol: str, host: Host) -> "List[str]":
    """Return /proc/net's tables of a protocol, of IPv6 where the kernel has it."""
    found = []
    for family in ("", "6"):
        data = host.read("/proc/net/" + protocol + family)
        if data is None and not family:
            raise Unreadable("/proc/net/{}: missing".format(protocol))
        found.append((data or b"").decode("ascii", "replace"))
    return found


def owners(host: Host) -> "Dict[str, str]":
    """Return socket inode → program name, as far as processes can be looked into."""
    return host.once("socket-owners", _owners)  # type: ignore[no-any-return]


def judge(want: "Dict[str, Any]", observed: "List[Listener]") -> Judgement:
    """Return whether nothing listens that was not declared."""
    ports = sorted("{}/{}".format(*each) for each in _declared(want))
    expected = "only {}".format(", ".join(ports))
    if "only" in want:
        asked = ["tcp/{}".format(port) for port in want["only"]]
        expected = "not reached from elsewhere: {}".format(", ".join(asked))
    shown = listed([str(one) for one in observed], ", ")
    return Judgement.of(not observed, expected, shown or "nothing else")


def propose(want: "Dict[str, Any]", observed: "List[Listener]", target: Target) -> Proposal:
    """Propose nothing: :func:`validate` leaves it to people."""
    return Proposal("")


def validate(want: "Dict[str, Any]", target: Target) -> None:
    """Leave it to people whether a service goes, or is declared."""
    shown = listed([str(one) for one in observe(want, target.host)], ", ")
    raise ByHand("{}: stop it, or declare it in luytre_services".format(shown))


def converge(want: "Dict[str, Any]", target: Target) -> None:
    """Change nothing: no plan comes as far as this."""


def parse(text: str, protocol: str) -> "List[Listener]":
    """Return what listens in one of /proc/net's tables, the host's own loopback left out."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _STATES[protocol]:
            continue
        address, _, port = fields[1].rpartition(":")
        if not set(port) <= _HEXADECIMAL or len(port) != _PORT_DIGITS:
            raise Unreadable("{}: cannot be understood".format(protocol))
        if not _is_loopback(address):
            found.append(Listener(protocol, int(port, 16), fields[9]))
    return found


def heard(listening: "List[sockets.Listening]") -> "List[Listener]":
    """Return what listens over TCP as the kernel tells it, the host's own loopback left out."""
    found = []
    for address, port, inode in listening:
        own = address[-4:-3] == b"\x7f" if address[:-4] in (b"", _MAPPED) else address == _OWN
        if not own:
            found.append(Listener("tcp", port, inode))
    return found


def _is_loopback(address: str) -> bool:
    """Say whether an address of /proc/net (words in the machine's own order) is loopback."""
    if len(address) == 8:
        return address.endswith("7F")
    mapped = "0000000000000000FFFF0000"
    if address.startswith(mapped):
        return address.endswith("7F")
    return address == "00000000000000000000000001000000"


def _read(host: Host) -> "List[Listener]":
    clients = _client_ports(host)
    seen: "Dict[Tuple[str, int], Listener]" = {}
    listening = sockets.listening()
    found = _table(host, "tcp") if listening is None else heard(listening)
    found += [one for one in _table(host, "udp") if one.port not in clients]
    for one in found:
        seen.setdefault((one.protocol, one.port), one)
    return [seen[key] for key in sorted(seen)]


def _table(host: Host, protocol: str) -> "List[Listener]":
    return [one for text in tables(protocol, host) for one in parse(text, protocol)]


def _client_ports(host: Host) -> range:
    words = (host.read(_RANGE) or b"").split()
    if len(words) != 2:
        raise Unreadable("{}: cannot be understood".format(_RANGE))
    return range(int(words[0]), int(words[1]) + 1)


def _declared(want: "Dict[str, Any]") -> "Set[Tuple[str, int]]":
    ports = {("tcp", int(port)) for port in want["tcp"]}
    return ports | {(service["protocol"], int(service["port"])) for service in want["services"]}


def _owners() -> "Dict[str, str]":
    """Return socket inode → program name, for the processes that can be looked into."""
    owners: "Dict[str, str]" = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/{}/comm".format(pid)) as file:
                name = file.read().strip()
            sockets = list(_sockets("/proc/{}/fd".format(pid)))
        except OSError:
            continue  # it has ended meanwhile
        owners.update((inode, name) for inode in sockets)
    return owners


def _sockets(directory: str) -> "Iterator[str]":
    for descriptor in os.listdir(directory):
        try:
            target = os.readlink("{}/{}".format(directory, descriptor))
        except OSError:
            continue  # it was closed meanwhile
        if target.startswith("socket:["):
            yield target[8:-1]

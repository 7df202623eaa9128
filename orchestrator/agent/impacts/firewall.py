"""What new rules of the firewall would keep out: sessions that stand, ports that are reached.

Computed from what was declared (the rules are made of the same), not from the rules themselves.
"""

from .. import runs
from ..audit import chosen_states
from ..host import Host
from ..kinds import listeners
from . import connections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Set, Tuple

    from ..kinds import Target
    from ..kinds.nft import Observed
    from . import Impact
    from .connections import Address, Session

# Clients of DHCP (RFC 2131, RFC 8415): answers come to what they asked for, or are let in.
_CLIENTS = {("udp", 68), ("udp", 546)}


# Of the peers of one port, so many are named.
_SHOWN = 3


class Opening:
    """A port that the rules let in: from everybody, or from some networks."""

    def __init__(self, protocol: str, port: int, sources: "List[str]") -> None:
        import ipaddress

        self.protocol = protocol
        self.port = port
        self.networks = [ipaddress.ip_network(source) for source in sources]

    def lets_in(self, address: "Address") -> bool:
        """Return whether somebody with this address reaches the port."""
        return not self.networks or any(address in network for network in self.networks)


def of_nft(want: "Dict[str, Any]", observed: "Observed", target: "Target") -> "List[Impact]":
    """Return the sessions and the ports that are reached now and would not be any more."""
    if observed.running is not None and observed.running == observed.wanted:
        return []
    opened = openings(want)
    if opened is None:
        return [("listeners", "nobody declared what these rules let in")]
    host = target.host
    heard = listeners.heard_by_others(host)
    heard = [*heard, *listeners.kernel_ports(host)]
    reached = {(one.protocol, one.port): one.inode for one in heard}
    tcp = {port for protocol, port in reached if protocol == "tcp"}
    before = None if observed.running is None else _declared_before(host)
    return _sessions(opened, tcp, host) + _ports(opened, before, reached, host)


def openings(want: "Dict[str, Any]") -> "Optional[List[Opening]]":
    """Return what the rules of a state let in; None where it was not declared."""
    if not {"tcp", "sources", "services"} <= set(want):
        return None
    found = [Opening("tcp", port, want["sources"]) for port in want["tcp"]]
    for service in want["services"]:
        protocol, sources = service["protocol"], service.get("sources") or []
        found.append(Opening(protocol, service["port"], sources))
    return found


def _sessions(opened: "List[Opening]", listening: "Set[int]", host: Host) -> "List[Impact]":
    mine = connections.own_login()
    told = [] if mine is None or _reaches(opened, mine.port, mine.peer) else [_own(mine)]
    here = {(mine.port, mine.peer)} if mine is not None else set()
    found = {
        (one.port, one.peer)
        for one in connections.sessions(listening, host)
        if not _reaches(opened, one.port, one.peer)
    }
    peers: "Dict[int, List[str]]" = {}
    for port, peer in found - here:
        peers.setdefault(port, []).append(str(peer))
    text = "connected to tcp/{} and could not come again: {}"
    return told + [
        ("sessions", text.format(port, _some(sorted(peers[port])))) for port in sorted(peers)
    ]


def _some(names: "List[str]") -> str:
    """Return the first of many names, and how many there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else "{} … ({} in all)".format(shown, len(names))


def _own(mine: "Session") -> "Impact":
    text = "this login comes from {} to tcp/{}, which the new rules keep out"
    return ("sessions", text.format(mine.peer, mine.port))


def _reaches(opened: "List[Opening]", port: int, peer: "Address") -> bool:
    return any(o.port == port and o.protocol == "tcp" and o.lets_in(peer) for o in opened)


def _ports(
    opened: "List[Opening]",
    before: "Optional[List[Opening]]",
    reached: "Dict[Tuple[str, int], str]",
    host: Host,
) -> "List[Impact]":
    """Return the ports that listen, were open ``before`` (None: all were), and will not be."""
    kept = {(one.protocol, one.port) for one in opened} | _CLIENTS
    open_before = None if before is None else {(one.protocol, one.port) for one in before}
    lost = [e for e in reached if e not in kept and (open_before is None or e in open_before)]
    programs = listeners.owners(host) if lost else {}
    told = "{}/{} ({}) could not be reached any more"
    return [
        ("listeners", told.format(*each, programs.get(reached[each]) or "unknown program"))
        for each in sorted(lost)
    ]


def _declared_before(host: Host) -> "Optional[List[Opening]]":
    """Return what the rules that run now were declared to let in; None where nobody knows."""
    for run in runs.known():
        if run.record()["state"] == "confirmed":
            request = run.load("request.json")
            # A control that the run did not change (waived, as wanted) loaded nothing.
            for control in request["manifest"]["controls"]:
                for _number, state in chosen_states(control, host):
                    if state["kind"] == "nft" and control["id"] in request["changes"]:
                        return openings(state["want"])
    return None

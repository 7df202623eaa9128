"""The lab's bridges and its one nftables table: NAT, and the wall before the hidden hosts."""

import ipaddress
import json
from collections.abc import Callable
from pathlib import Path

from orchestrator.lab.address import Plan
from orchestrator.lab.commands import run
from orchestrator.lab.errors import LabError

_LINKS = Path("/sys/class/net")
_IPV6 = Path("/proc/sys/net/ipv6/conf")


def make(plan: Plan) -> None:
    """Make the bridges with the machine's addresses on them; what is there stays."""
    for hidden, bridge in ((False, plan.bridge), (True, plan.hidden_bridge)):
        if not (_LINKS / bridge).exists():
            run(["ip", "link", "add", bridge, "type", "bridge"])
        # without IPv6 there is no second way round the wall
        ipv6 = _IPV6 / bridge / "disable_ipv6"
        if ipv6.exists():
            ipv6.write_text("1\n")
        run(["ip", "address", "replace", f"{plan.gateway(hidden=hidden)}/24", "dev", bridge])
        run(["ip", "link", "set", bridge, "up"])


def remove(plan: Plan) -> None:
    """Remove the lab's table, links and bridges; what is gone already is no error."""
    run(["nft", "-f", "-"], stdin=f"add table inet {plan.table}\ndelete table inet {plan.table}\n")
    left = sorted(path.name for path in _LINKS.glob(f"{plan.link_prefix}*"))
    for link in (*left, plan.bridge, plan.hidden_bridge):
        delete_link(link)


def make_tap(name: str, bridge: str) -> None:
    """Make the machine's end of a virtual machine's link and hang it on its bridge."""
    run(["ip", "tuntap", "add", "dev", name, "mode", "tap"])
    ipv6 = _IPV6 / name / "disable_ipv6"
    if ipv6.exists():
        ipv6.write_text("1\n")
    run(["ip", "link", "set", name, "master", bridge, "up"])


def delete_link(name: str) -> None:
    """Delete an interface; a dying host's link may be gone, or go while we look."""
    try:
        if (_LINKS / name).exists():
            run(["ip", "link", "delete", name])
    except LabError:
        if (_LINKS / name).exists():
            raise


def free_numbers() -> Callable[[Plan], bool]:
    """Return a function that tells whether a plan's networks are routed nowhere yet."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    found = [route["dst"] for route in routes if route["dst"] != "default"]
    taken = [ipaddress.IPv4Network(destination, strict=False) for destination in found]

    def is_free(plan: Plan) -> bool:
        wanted = [ipaddress.IPv4Network(plan.network(hidden=hidden)) for hidden in (False, True)]
        return not any(ours.overlaps(other) for ours in wanted for other in taken)

    return is_free


def write_rules(plan: Plan, jump: str | None) -> None:
    """Replace the lab's nftables table; ``jump`` is the jump host's address, if there is one."""
    run(["nft", "-f", "-"], stdin=rules(plan, jump))


def rules(plan: Plan, jump: str | None) -> str:
    """Return the table: NAT for both networks; only the jump host may begin talks to the hidden.

    The machine itself may not: it would otherwise reach the hidden hosts as their gateway.
    """
    here, hidden = plan.network(hidden=False), plan.network(hidden=True)
    allowed = f"ip saddr {jump} accept" if jump else ""
    return f"""\
add table inet {plan.table}
delete table inet {plan.table}
table inet {plan.table} {{
    chain nat {{
        type nat hook postrouting priority srcnat;
        ip saddr {{ {here}, {hidden} }} ip daddr != {{ {here}, {hidden} }} masquerade
    }}
    chain forward {{
        type filter hook forward priority filter;
        oifname "{plan.hidden_bridge}" iifname != "{plan.hidden_bridge}" jump to_hidden
    }}
    chain output {{
        type filter hook output priority filter;
        oifname "{plan.hidden_bridge}" jump to_hidden
    }}
    chain to_hidden {{
        ct state established,related accept
        {allowed}
        reject with icmpx type admin-prohibited
    }}
}}
"""

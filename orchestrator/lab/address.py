"""Which names and addresses a lab has; everything follows from its number. Pure."""

from dataclasses import dataclass

from orchestrator.lab.model import FIRST_HOST

NUMBERS = range(0, 256, 2)
"""A lab's number is the third byte of its network; the odd one after it is the hidden network."""


@dataclass(frozen=True)
class Plan:
    """Names of the interfaces, the table and the networks (each a /24) of lab ``number``."""

    number: int

    @property
    def bridge(self) -> str:
        """The bridge of the hosts that the machine can reach."""
        return f"ltbr{self.number}"

    @property
    def hidden_bridge(self) -> str:
        """The bridge of the hosts behind the jump host."""
        return f"ltbr{self.number + 1}"

    @property
    def table(self) -> str:
        """The nftables table (family inet)."""
        return f"luytre_lab_{self.number}"

    @property
    def machine_prefix(self) -> str:
        """How the hosts' nspawn machine names begin: short, unique on the machine."""
        return f"lt{self.number}-"

    @property
    def link_prefix(self) -> str:
        """How the machine's ends of the hosts' links begin (nspawn names them ``vb-MACHINE``)."""
        return f"vb-{self.machine_prefix}"

    def machine(self, index: int) -> str:
        """The nspawn machine name of the host with ``index``."""
        return f"{self.machine_prefix}{index}"

    def link(self, index: int) -> str:
        """The machine's end of the host's link."""
        return f"{self.link_prefix}{index}"

    def network(self, *, hidden: bool) -> str:
        """The network in CIDR notation."""
        return f"10.213.{self.number + hidden}.0/24"

    def gateway(self, *, hidden: bool) -> str:
        """The machine's own address on the network."""
        return f"10.213.{self.number + hidden}.1"

    def address(self, index: int, *, hidden: bool) -> str:
        """The address of the host with ``index``."""
        return f"10.213.{self.number + hidden}.{FIRST_HOST + index}"

"""Kinds of what the network reaches."""

from .model import Field, Kind

KINDS = {
    "nft": Kind(
        doc="the nftables table that Lũy Tre owns: inet luytre",
        fields={
            "ruleset": Field("text", "the table in nft's language"),
            "template": Field("template", "file in templates/ that gives it", compiled=True),
            "tcp": Field("ports", "TCP ports that the rules let in from the sources"),
            "sources": Field("networks", "networks from which they are reached"),
            "services": Field("services", "services that the rules let in (luytre_services)"),
        },
        example={
            "template": "nftables/luytre.nft.j2",
            "tcp": [22],
            "sources": ["192.0.2.0/28"],
            "services": [{"name": "https", "port": 443, "protocol": "tcp"}],
        },
    ),
    "listeners": Kind(
        doc="ports that others can reach, against those that were declared; judged only",
        fields={
            "tcp": Field("ports", "TCP ports that listen anyway (SSH)", required=True),
            "services": Field("services", "the declared services (luytre_services)", required=True),
            "only": Field("ports", "TCP ports to look at; without it, all"),
        },
        identity="only",
        example={"tcp": [22], "services": [{"name": "https", "port": 443, "protocol": "tcp"}]},
    ),
}

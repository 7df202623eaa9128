"""Kinds of what the network reaches."""

from .model import Field, Kind

KINDS = {
    "nft": Kind(
        doc="the nftables table that Lũy Tre owns: inet luytre",
        fields={
            "ruleset": Field("text", "the table in nft's language"),
            "template": Field("template", "file in templates/ that gives it", compiled=True),
        },
        example={"template": "nftables/luytre.nft.j2"},
    ),
}

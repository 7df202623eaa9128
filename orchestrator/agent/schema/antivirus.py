"""Kinds of what is looked for in files."""

from .model import Field, Kind

KINDS = {
    "antivirus": Kind(
        doc="whether malware would be found on this host, and whether some was; judged only",
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "which rule",
                required=True,
                choices=("signatures", "own", "daemon", "scheduled", "scanned", "clean", "proved"),
            ),
            "days": Field(
                "number", "how old signatures, a whole scan or a proof may be (not of all rules)"
            ),
        },
        example={"rule": "signatures", "days": 7},
    ),
}

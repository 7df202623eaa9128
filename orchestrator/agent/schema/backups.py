"""Kinds of what would be left of the host if it were lost."""

from .model import Field, Kind

KINDS = {
    "backup": Kind(
        doc="whether this host backs itself up as luytre backup set it up; judged only",
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "which rule",
                required=True,
                choices=("present", "off_host", "encrypted", "fresh", "drilled"),
            ),
            "hours": Field("number", "how old the newest whole backup may be (fresh)"),
            "days": Field("number", "how old the newest drill that passed may be (drilled)"),
        },
        example={"rule": "fresh", "hours": 26},
    ),
}
